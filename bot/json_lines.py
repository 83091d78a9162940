"""JSON for programs that a terminal may show, too: the same values, without characters that control a terminal."""

import json
from collections.abc import Callable

from bot.domain.control_characters import written_out


def json_line(value: object, default: Callable[[object], object] | None = None) -> str:
    """One line with readable letters; characters that control a terminal or reverse its text are written as \\uXXXX.

    `default` turns what JSON does not know into something that it does.
    """
    return escaped(json.dumps(value, ensure_ascii=False, default=default))


def escaped(written: str) -> str:
    """JSON text, of one line or more, with these characters written as \\uXXXX: its values stay the same."""
    return written_out(written, lambda sign: f"\\u{ord(sign):04x}")
