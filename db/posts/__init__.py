"""The outbox by subject: posts put into it, taken out of it again, and what they say by now."""
