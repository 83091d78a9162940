"""A text without somebody's name and words."""

import re
from collections.abc import Iterable

_INSTEAD = "…"
_NO_NAME = 3
"""A shorter part of a name is a word like any other, and a shorter text quotes nobody."""
_NO_QUOTE = 8


def without(text: str, names: Iterable[str], texts: Iterable[str]) -> str:
    """The text with every name, every part of one, and every line of the texts replaced by an ellipsis."""
    lines = {line.strip() for said in texts for line in said.splitlines()}
    parts = {part for name in names for part in [name, *name.split()]}
    here = text.casefold()  # of thousands of lines hardly any is in one text: only those become a pattern
    words = [re.escape(line) for line in lines if len(line) >= _NO_QUOTE and line.casefold() in here]
    words += [rf"\b{re.escape(part)}\b" for part in parts if len(part) >= _NO_NAME and part.casefold() in here]
    if not words:
        return text
    longest_first = "|".join(sorted(words, key=len, reverse=True))
    return re.sub(longest_first, _INSTEAD, text, flags=re.IGNORECASE)
