"""The site on a real socket."""
