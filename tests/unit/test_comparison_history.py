"""`switchboard compare --history`: the weekly verdicts, for people, for scripts, and as a page."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from bot.commands.comparison_history import show_history, write_history
from bot.domain.past_comparisons import PastComparison
from tests.samples import COMPARED, NOW

NEW = PastComparison(COMPARED, "Worth it: +4.1 ± 1.2 points.", "routing-2", NOW)
OLD = PastComparison(
    replace(COMPARED, ruling="too_few", messages=60, gain=None, margin=None, arms=COMPARED.arms[2:3]),
    "Too few messages to tell: 60 of at least 100.",
    "routing-1",
    NOW - timedelta(days=7),
)


def test_scripts_get_every_figure_newest_first() -> None:
    out = StringIO()
    show_history([NEW, OLD], "routing", True, out)
    first, second = json.loads(out.getvalue())
    assert (first["at"], first["ruling"], first["gain"], first["adapter"]) == (
        "2026-11-23T12:00:00+00:00",
        "worth_it",
        -0.041,
        "routing-2",
    )
    assert [arm["name"] for arm in first["arms"]] == ["majority", "words", "mixture", "mixture without adapter"]
    assert (second["gain"], [arm["accuracy"] for arm in second["arms"]]) == (None, [0.921])


def test_people_get_a_row_a_week(capsys: pytest.CaptureFixture[str]) -> None:
    show_history([NEW, OLD], "routing", False, StringIO())
    said = capsys.readouterr().err
    assert "2026-11-23" in said and "92.1%" in said and "88.0%" in said and "Worth it: +4.1" in said
    assert said.index("2026-11-23") < said.index("2026-11-16")


def test_without_any_the_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()
    show_history([], "routing", False, out)
    assert "tasks.routing.learning.comparison" in capsys.readouterr().err
    show_history([], "routing", True, out)
    assert json.loads(out.getvalue()) == []


def test_the_page_draws_a_line_an_arm_from_old_to_new(tmp_path: Path) -> None:
    write_history(tmp_path / "h.html", [NEW, OLD], "routing")
    page = (tmp_path / "h.html").read_text("utf-8")
    assert page.count("<polyline") == 4 and page.count("<circle") == 5
    assert '<polyline points="50.0,' in page and " 610.0," in page
    assert "http" not in page and "<script" not in page
    assert page.index("2026-11-23</td>") < page.index("2026-11-16</td>")


@pytest.mark.parametrize("past", [[], [NEW]])
def test_few_weeks_are_a_page_too(tmp_path: Path, past: list[PastComparison]) -> None:
    write_history(tmp_path / "h.html", past, "routing")
    assert "Was it worth it?" in (tmp_path / "h.html").read_text("utf-8")
