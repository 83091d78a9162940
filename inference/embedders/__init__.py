"""Texts to vectors: MiniLM for English, USE multilingual across languages, both, or a model of your own."""
