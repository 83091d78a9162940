"""Texts to vectors: MiniLM for English, USE multilingual for what crosses languages, both, or a model of yours."""
