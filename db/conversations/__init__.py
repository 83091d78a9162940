"""What people say and do becomes facts, and what was concluded from them is stored: a file a subject."""
