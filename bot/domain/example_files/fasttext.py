"""fastText's lines: labels as words that begin with `__label__`, then the text."""

import re
from collections.abc import Iterator

from bot.domain.example_files.encodings import undecodable
from bot.domain.example_files.rows import BadLine, Line, Row
from bot.domain.example_files.text_lines import text_lines

FASTTEXT = "__label__"
_LINE = re.compile(rf"\s*{FASTTEXT}(\S+)\s+(.*\S)\s*", re.DOTALL)


def read_fasttext(text: str) -> Iterator[Line]:
    """Every line with one label and a text; a line with several labels has no single answer to learn."""
    for number, line in enumerate(text_lines(text), start=1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        wrong = undecodable(line)
        if wrong or found is None:
            yield BadLine(number, wrong or f"not a line of the form {FASTTEXT}team text")
        elif found[2].startswith(FASTTEXT):
            yield BadLine(number, "several labels, of which one alone could be learned")
        else:
            yield Row(number, {"label": found[1], "text": found[2]})
