"""Local servers that speak the platforms' protocols, so that the real client libraries can be driven without a network."""
