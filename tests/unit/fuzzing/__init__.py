"""Any shape that comes in from outside: read, or refused in words."""
