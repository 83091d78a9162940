"""A fault campaign: the real bot, the real database, local platforms, and everything that goes wrong between them."""
