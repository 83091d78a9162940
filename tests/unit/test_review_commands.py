"""The review's output for programs and for people."""

import json
from datetime import timedelta
from io import StringIO

import pytest

from bot.commands.review import show
from bot.domain.drift import Drift, Measure
from bot.domain.review import Confusion, Group, Item, Review, Why
from tests.unit.domain.test_review import ASKED, outcome

FOUR_WEEKS = timedelta(weeks=4)
ITEMS = [Item(outcome(n, ASKED), Why.UNSURE, 0.5) for n in range(3)]
PAIR = Confusion("billing", "it", 6, 0.857, (outcome(5), outcome(4)))
DRIFT = Drift(Measure.TEAMS, 0.4, 0.0001, True)
MADE = Review([], ITEMS, [PAIR], [Group(tuple(outcome(n) for n in range(23)))], {Measure.TEAMS: DRIFT}, True)


def test_json_holds_the_queue_the_pairs_the_groups_and_the_drift() -> None:
    out = StringIO()
    show(MADE, 2, as_json=True, out=out, back=FOUR_WEEKS)
    made = json.loads(out.getvalue())
    assert [(row["conversation"], row["why"], row["nearest"]) for row in made["queue"]] == [
        (0, "unsure", 0.5),
        (1, "unsure", 0.5),
    ]
    assert (made["waiting"], made["confusions"][0]["conversations"], made["groups"][0]["count"]) == (3, [5, 4], 23)
    assert made["drift"] == {"teams": {"much": 0.4, "p": 0.0001, "alarm": True}}


def test_people_read_what_to_think_about(capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()
    show(MADE, 2, as_json=False, out=out, back=FOUR_WEEKS)
    assert out.getvalue().splitlines()[0] == "0\tunsure\tbilling\t0.40\twords 0"
    said = capsys.readouterr().err
    assert "3 conversations deserve a look, 2 shown" in said
    assert "23 messages fit no team: a new one?" in said
    assert "teams: ✗ has changed (+0.40, p = 0.0001)" in said


def test_where_there_is_too_little_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show(Review([], [], [], [], {}, False), 20, as_json=False, out=StringIO(), back=FOUR_WEEKS)
    assert "drift: too few conversations to tell; 100" in capsys.readouterr().err


def test_one_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    show(Review([], ITEMS[:1], [], [], {}, True), 20, as_json=False, out=StringIO(), back=FOUR_WEEKS)
    said = capsys.readouterr().err
    assert "1 conversation deserves a look\n" in said
    assert "mistaken for each other: none\n" in said


def test_a_time_with_more_than_is_looked_at_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()
    few = Review([outcome(1), outcome(2)], [], [], [], {}, True, whole=False)
    show(few, 20, as_json=True, out=out, back=FOUR_WEEKS)
    made = json.loads(out.getvalue())
    assert (made["looked_at"], made["whole"]) == (2, False)
    assert "more was decided in that time: the newest 2 conversations are looked at" in capsys.readouterr().err


def test_a_time_too_short_for_drift_says_how_far_back_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    show(Review([], [], [], [], {}, False), 20, as_json=False, out=StringIO(), back=timedelta(days=7))
    said = capsys.readouterr().err
    assert "drift: the last seven days are compared with the time before; --since 28d reaches there" in said
    assert "too few" not in said
