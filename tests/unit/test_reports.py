"""The list of reports says where, what and which test, and the tests exist."""

import re
from pathlib import Path

from tests.unit.test_behaviours import is_there

REPORTS = Path(__file__).parents[2] / "docs" / "reports.md"
_ROW = re.compile(r"^\| (?!kind |---)(.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows() -> list[list[str]]:
    return [row.split(" | ") for row in _ROW.findall(REPORTS.read_text("utf-8"))]


def test_every_report_says_where_what_and_which_test() -> None:
    assert len(rows()) > 9
    for row in rows():
        assert len(row) == 4 and all(cell.strip() for cell in row), row


def test_every_test_that_is_named_is_there() -> None:
    named = [_TEST.findall(row[-1]) for row in rows()]
    assert all(named)
    assert not [f"{file}::{test}" for tests in named for file, test in tests if not is_there(file, test)]
