"""The outbox by subject: posts added to it, posts cancelled in it, and what posts say by now."""
