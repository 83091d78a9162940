"""The demo company: its settings, its sentences, and where they are."""
