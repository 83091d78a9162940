"""Local servers that implement the platforms' protocols, for the real client libraries."""
