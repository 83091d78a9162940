"""When a champion is rolled back automatically."""

import random

import pytest

from bot.domain.automatic_rollback import Corrections, allowed, too_often

HISTORY = Corrections(2_000, 160)
"""Eight of a hundred: up to 8.8 are allowed."""


def test_what_is_allowed_is_what_the_history_could_be_by_chance() -> None:
    """One-sided 90 % bounds: of none of 100 by arithmetic, of 160 of 2,000 nearly the normal one."""
    assert allowed(Corrections(100, 0)) == pytest.approx(1 - 0.1**0.01)
    assert allowed(HISTORY) == pytest.approx(0.08 + 1.2816 * (0.08 * 0.92 / 2_000) ** 0.5, abs=1e-3)
    assert allowed(Corrections(0, 0)) == allowed(Corrections(3, 3)) == 1.0


def test_a_champion_that_is_corrected_as_often_as_the_one_before_stays() -> None:
    assert not too_often(HISTORY, Corrections(0, 0))
    assert not too_often(HISTORY, Corrections(5_000, 400))
    assert not too_often(HISTORY, Corrections(5_000, 440)), "8.8 of a hundred are allowed"


def test_a_champion_that_is_corrected_far_more_often_goes_the_sooner_the_worse_it_is() -> None:
    assert not too_often(HISTORY, Corrections(3, 3)), "too few to tell"
    assert too_often(HISTORY, Corrections(40, 12))
    assert not too_often(HISTORY, Corrections(40, 8))
    assert too_often(HISTORY, Corrections(200, 40))
    assert too_often(HISTORY, Corrections(2_000, 260))


def test_without_a_history_nothing_is_too_often() -> None:
    assert not too_often(Corrections(0, 0), Corrections(500, 500))
    assert not too_often(Corrections(3, 3), Corrections(500, 500))


def test_looking_after_every_message_raises_no_more_false_alarms_than_are_allowed() -> None:
    """At the limit of what is allowed, 300 champions of 1,500 decisions each: at most 5 of 100, plus chance."""
    rng, edge = random.Random(11), allowed(HISTORY)
    alarms = 0
    for _ in range(300):
        corrected = 0
        for decided in range(1, 1_501):
            corrected += rng.random() < edge
            if decided % 10 == 0 and too_often(HISTORY, Corrections(decided, corrected)):
                alarms += 1
                break
    assert alarms / 300 <= 0.05 + 3 * 0.0126
