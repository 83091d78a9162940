"""Signs that command a terminal or reverse its text, written out so that they do neither."""

import re

_COMMANDING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def harmless(words: str) -> str:
    """The words, with these signs as Python writes them; line ends and tabs stay."""
    return _COMMANDING.sub(lambda sign: sign[0].encode("unicode_escape").decode(), words)
