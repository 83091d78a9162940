"""Removing words, names and files from what is stored."""
