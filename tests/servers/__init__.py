<<<<<<< HEAD
"""Local servers that speak the platforms' protocols, for the real client libraries to talk to."""
=======
"""Local servers that speak the platforms' protocols, so that the real client libraries can be driven without a network."""
>>>>>>> slack
