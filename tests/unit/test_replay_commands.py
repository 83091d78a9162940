"""Spans of time as people write them, and a comparison in figures and in words."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest

from bot.commands.replay import show, span
from bot.domain.errors import UsageError
from bot.domain.replay import Comparison

MADE = Comparison(100, 60, 9, 5, 2, 3, 4, 50, 53, {("billing", "it"): 9}, 12.0)


@pytest.mark.parametrize(("written", "meant"), [("7d", 168), ("12h", 12), (" 2W ", 336), ("0d", 0)])
def test_a_span_is_hours_days_or_weeks(written: str, meant: int) -> None:
    assert span(written) == timedelta(hours=meant)


@pytest.mark.parametrize("written", ["7", "d", "7 months", "-7d", "999999d"])
def test_anything_else_is_none(written: str) -> None:
    with pytest.raises(UsageError, match="write it like 7d, 12h or 2w"):
        span(written)


def test_figures_go_to_stdout_and_words_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()
    show(MADE, "routing-2", as_json=True, out=out)
    figures = json.loads(out.getvalue())
    assert (figures["gained"], figures["lost"], figures["minutes_saved"]) == (5, 2, 36.0)
    assert figures["pairs"] == [{"then": "billing", "now": "it", "count": 9}]
    show(MADE, None, as_json=False, out=out)
    assert "at 12 minutes a reassignment that would save 36 minutes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("many", "said"),
    [
        (1, "1 conversation is with a team that no longer exists, and counts neither as right nor as wrong"),
        (3, "3 conversations are with teams that no longer exist, and count neither as right nor as wrong"),
    ],
)
def test_what_is_with_a_former_team_is_told_apart(many: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    made, out = replace(MADE, former_teams=many), StringIO()
    show(made, None, as_json=True, out=out)
    assert json.loads(out.getvalue())["former_teams"] == many
    show(made, None, as_json=False, out=out)
    assert f"former_teams\t{many}\n" in out.getvalue()
    assert said in " ".join(capsys.readouterr().err.split())
    show(MADE, None, as_json=False, out=out)
    assert "no longer exist" not in capsys.readouterr().err


def test_where_nobody_said_what_is_right_nothing_is_called_right(capsys: pytest.CaptureFixture[str]) -> None:
    show(replace(MADE, settled=0), None, as_json=False, out=StringIO())
    said = " ".join(capsys.readouterr().err.split())
    assert "9 of 100 conversations would have gone elsewhere; nobody said or did where any of them belongs" in said
