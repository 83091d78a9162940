"""JSON for programs that a terminal may show, too: the same values, without characters that control a terminal."""

import json
import re
from collections.abc import Callable

_COMMANDING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What JSON leaves unescaped. Characters below U+0020 it never does."""


def json_line(value: object, default: Callable[[object], object] | None = None) -> str:
    """One line with readable letters; characters that control a terminal or reverse its text are written as \\uXXXX.

    `default` turns what JSON does not know into something that it does.
    """
    return escaped(json.dumps(value, ensure_ascii=False, default=default))


def escaped(written: str) -> str:
    """JSON text, of one line or more, with these characters written as \\uXXXX: its values stay the same."""
    return _COMMANDING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", written)
