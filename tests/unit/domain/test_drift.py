"""Changes are reported with their size and certainty; chance and small differences are not reported."""

import numpy as np
import pytest

from bot.domain.decisions import Author, Decision, Reason
from bot.domain.drift import Measure, drifts, psi
from bot.domain.outcomes import Outcome
from tests.samples import NOW

RANDOM = np.random.default_rng(7)


def outcomes(counts: dict[str, int], strange: int = 0, centre: float = 0.0, width: int = 6) -> list[Outcome]:
    """So many of each team, the first `strange` unlike anything known, their vectors around a centre."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    return [
        Outcome(
            n,
            "words",
            Decision("routing", label, Author.MODEL, Reason.STRANGE if n < strange else Reason.CONFIDENT),
            NOW,
            label,
            settled=True,
            vector=tuple(RANDOM.normal(centre, 1.0, width)),
        )
        for n, label in enumerate(labels)
    ]


EVEN = {"billing": 100, "delivery": 100, "it": 100}


def test_the_index_is_the_known_sum() -> None:
    assert psi({"a": 50, "b": 50}, {"a": 50, "b": 50}) == 0
    assert psi({"a": 100_000, "b": 100_000}, {"a": 150_000, "b": 50_000}) == pytest.approx(0.2747, abs=1e-3)


def test_the_same_weeks_have_not_changed() -> None:
    found = drifts(outcomes(EVEN), outcomes(EVEN))
    assert set(found) == set(Measure)
    assert [one.alarm for one in found.values()] == [False, False, False]


def test_a_team_that_gets_much_more_is_an_alarm() -> None:
    found = drifts(outcomes(EVEN), outcomes({"billing": 20, "delivery": 60, "it": 220}))
    assert (found[Measure.TEAMS].alarm, found[Measure.SCOPE].alarm) == (True, False)
    assert found[Measure.TEAMS].much > 0.25


def test_a_sure_but_small_change_is_none() -> None:
    many = {"billing": 5_000, "delivery": 5_000}
    found = drifts(outcomes(many), outcomes({"billing": 5_400, "delivery": 4_600}))[Measure.TEAMS]
    assert found.chance < 0.01 and not found.alarm


def test_more_that_no_team_is_for_is_an_alarm_by_its_difference() -> None:
    found = drifts(outcomes(EVEN, strange=9), outcomes(EVEN, strange=45))[Measure.SCOPE]
    assert found.alarm and found.much == pytest.approx(0.12)
    assert not drifts(outcomes(EVEN, strange=9), outcomes(EVEN, strange=15))[Measure.SCOPE].alarm


def test_other_words_for_the_same_teams_are_an_alarm() -> None:
    found = drifts(outcomes(EVEN), outcomes(EVEN, centre=1.0))
    assert (found[Measure.WORDS].alarm, found[Measure.TEAMS].alarm) == (True, False)


def test_of_too_few_nothing_is_said() -> None:
    assert drifts(outcomes({"it": 99}), outcomes(EVEN)) == {}


def test_vectors_of_another_encoder_are_not_compared() -> None:
    assert Measure.WORDS not in drifts(outcomes(EVEN, width=6), outcomes(EVEN, width=9))


def test_one_team_alone_does_not_drift() -> None:
    assert not drifts(outcomes({"it": 200}), outcomes({"it": 200}))[Measure.TEAMS].alarm


def test_same_weeks_alarm_less_often_than_one_in_a_hundred() -> None:
    alarms = 0
    for _ in range(60):
        alarms += sum(one.alarm for one in drifts(outcomes({"it": 100}), outcomes({"it": 100})).values())
    assert alarms <= 1
