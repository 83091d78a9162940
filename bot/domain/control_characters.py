"""Characters that command a terminal or change the direction of the text around them, made harmless where it is shown.

What people wrote is stored as they wrote it: the voices, rules and exports see all of it. In a chat and on the page
these characters are left out (`without_controls`); in a terminal, and in JSON that a terminal may show, they are
written out, so that nothing is hidden (`bot.terminal_signs`, `bot.json_lines`).
"""

import re
from collections.abc import Callable

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
"""C0 without tab and line feed, delete, and C1."""
_DIRECTIONS = "\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates: they reach beyond the words of their writer unless they are ended."""
_MARKS = "\u061c\u200e\u200f"
"""Marks of a direction, which right-to-left scripts need: they affect their neighbours alone."""
_LINES = "\u2028\u2029"
"""Ends of a line and of a paragraph, which some programs take for the end of a line of JSON."""

_COMMANDING = re.compile(f"[{_CONTROLS}{_DIRECTIONS}{_MARKS}{_LINES}]")
_LEFT_OUT = re.compile(f"[{_CONTROLS}{_DIRECTIONS}]")
_ENDS = re.compile(f"[{_LINES}]")


def written_out(text: str, sign: Callable[[str], str]) -> str:
    """The text with each of these characters as `sign` writes it; line feeds and tabs stay."""
    return _COMMANDING.sub(lambda found: sign(found[0]), text)


def without_controls(text: str) -> str:
    """The text as a chat may show it among our own words: without these characters, except marks of a direction.

    Idempotent. The ends of a line and of a paragraph become line feeds.
    """
    return _ENDS.sub("\n", _LEFT_OUT.sub("", text))
