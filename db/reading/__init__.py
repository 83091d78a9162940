"""Reads rows back: as the domain's types, and as answers to what people ask."""
