"""The list of behaviours names only tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "behaviours.md"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_behaviour_is_there_once_with_tests() -> None:
    rows = _ROW.findall(LIST.read_text("utf-8"))
    assert sorted(int(number) for number, _, _ in rows) == list(range(1, 57))
    assert not [number for number, _, tests in rows if not _TEST.findall(tests)]


def test_every_test_that_is_named_is_there() -> None:
    named = _TEST.findall(LIST.read_text("utf-8"))
    assert not [f"{file}::{test}" for file, test in named if not is_there(file, test)]


def is_there(file: str, test: str) -> bool:
    return test in _functions(ROOT / file)


@cache
def _functions(file: Path) -> frozenset[str]:
    """The names of a module's own functions, without importing it; none if there is no such file."""
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
