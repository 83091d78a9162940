"""The HTTP site on a real socket."""
