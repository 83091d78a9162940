"""Every sentence that the program can say, from its code: pages that quote one are checked against it."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache

from tests.acceptance.processes import REPOSITORY

_HOLE = "\x00"
"""Where the code puts a value in."""
_CODE = ("bot", "db", "inference")
_LEAST = 10
"""Letters that a quotation needs in addition to what it leaves out, to be meaningful."""


def is_said(quotation: str) -> bool:
    """Whether a sentence has these words in this order; `…` is a value of the code, or an omission."""
    parts = quotation.split("…")
    if len("".join(parts)) < _LEAST:
        return False
    wanted = re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)
    return any(wanted.search(sentence) for sentence in _sentences())


@cache
def _sentences() -> frozenset[str]:
    code = (path.read_text("utf-8") for folder in _CODE for path in (REPOSITORY / folder).rglob("*.py"))
    words = (path.read_text("utf-8") for path in (REPOSITORY / "bot" / "locales").rglob("*.toml"))
    return frozenset(found for text in code for found in _of_code(text)) | frozenset(
        re.sub(r"\{[^}]*\}", _HOLE, str(found)) for text in words for found in tomllib.loads(text).values()
    )


def _of_code(text: str) -> Iterator[str]:
    """The texts of its code; those in f-strings as a whole, with gaps."""
    inner: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))  # a docstring, which is not output
        elif isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in node.values}
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else _HOLE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value
