"""The cheaper voices beside the adapter: linear models on words and vectors, fitted in seconds, kept without pickle."""
