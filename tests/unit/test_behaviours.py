"""The list of behaviours names tests that there are."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "behaviours.md"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_behaviour_is_there_once_and_named_tests_prove_it() -> None:
    rows = _ROW.findall(LIST.read_text("utf-8"))
    assert sorted(int(number) for number, _, _ in rows) == list(range(1, 56))
    named = {number: _TEST.findall(tests) for number, _, tests in rows}
    assert not [number for number, tests in named.items() if not tests]
    missing = [
        f"{number}: {file}::{test}" for number, tests in named.items() for file, test in tests if not _is(file, test)
    ]
    assert not missing


def _is(file: str, test: str) -> bool:
    return test in _functions(ROOT / file)


@cache
def _functions(file: Path) -> frozenset[str]:
    """The names of a module's own functions, without importing it; none where there is no such file."""
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
