"""Rows read back: as the words of the domain, and as what people ask about."""
