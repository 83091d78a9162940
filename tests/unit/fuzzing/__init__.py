"""Altered input from outside, in any shape: it is read, or refused with a message."""
