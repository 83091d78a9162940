"""The HTTP server: health, metrics, the API, and the platforms' own routes."""
