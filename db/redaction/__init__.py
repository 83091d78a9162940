"""Taking words, names and files out of what is stored."""
