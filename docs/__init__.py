"""The handbook, and the commands that keep it true."""
