"""A file is short enough to read at once, and a function to see at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_OF_A_FILE = 400
MOST_OF_A_FUNCTION = 40
_HISTORY = "migrations/versions"
"""A past migration is not changed, and a function of its statements has their length."""
_FOLDERS = ("benchmarks", "bot", "db", "docs", "inference", "migrations", "tests")


def _sources() -> Iterator[tuple[str, str]]:
    for folder in _FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {name: len(written.splitlines()) for name, written in _sources()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_OF_A_FILE} == {}


def test_no_function_is_longer_than_forty_lines() -> None:
    long = {}
    for name, written in _sources():
        for node in ast.walk(ast.parse(written)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MOST_OF_A_FUNCTION and not name.startswith(_HISTORY):
                    long[f"{name}:{node.name}"] = lines
    assert long == {}
