"""The threat model names only tests that exist; and what our sources never do."""

import re
import tomllib

from tests.unit.test_behaviours import ROOT, is_there

MODEL = ROOT / "docs" / "security.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_NEVER = re.compile(
    r"\b(?:import pickle|import shelve|import marshal|joblib\.load|allow_pickle=True|"
    r"torch\.load\((?!.*weights_only=True)|"
    r"yaml\.load\(|os\.system\(|"
    r"shell=True)|(?<![\w.])(?:eval|exec)\("
)


def test_every_threat_names_tests_and_every_test_is_there() -> None:
    rows = [line for line in MODEL.read_text("utf-8").splitlines() if line.startswith("| ") and "Proved by" not in line]
    assert len(rows) > 20
    assert not [row for row in rows if not _TEST.findall(row)]
    named = _TEST.findall(MODEL.read_text("utf-8"))
    assert not [f"{file}::{test}" for file, test in named if not is_there(file, test)]


def test_nothing_is_unpickled_evaluated_or_run_by_a_shell() -> None:
    sources = [path for folder in ("bot", "db", "inference") for path in (ROOT / folder).rglob("*.py")]
    found = {path: _NEVER.findall(path.read_text("utf-8")) for path in sources}
    assert len(sources) > 200
    assert {path: what for path, what in found.items() if what} == {}


def test_licences_are_part_of_the_check() -> None:
    refused = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pip-licenses"]["fail-on"].split(";")
    assert {"GPL-3.0-only", "AGPL-3.0-only", "SSPL-1.0"} <= set(refused)
    check = (ROOT / "Makefile").read_text("utf-8").partition("\ncheck:")[2].partition("\n\n")[0]
    assert "pip-licenses" in check
