"""Labelled texts in and out of files: bytes become rows, rows become examples, and back; no file is opened here."""
