"""Local servers that speak the platforms' protocols, for the real client libraries to talk to."""
