"""Stores what people say and do as facts, and what was concluded from them: one file for each subject."""
