"""A conversation never changes sides; a canary is withdrawn if it is corrected more often, else it serves all."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.automatic_rollback import Corrections
from bot.domain.canary import ENOUGH, LEAST, LONGEST, Canary, End, Record, told, verdict, why, worse
from bot.domain.learning import Adapter
from bot.domain.report_posts import LearningReport, Trial
from tests.samples import NOW, TASK

CANDIDATE = Adapter("routing-2", "routing", Path("runs"), "starter", {}, 1.0, NOW)
CANARY = Canary(1, "routing", CANDIDATE, "routing-1", 0.1, NOW)


def record(decided: int, corrected: int, others: int = 9_000, others_corrected: int = 900) -> Record:
    return Record(Corrections(decided, corrected), Corrections(others, others_corrected))


def test_a_share_of_the_conversations_is_on_its_side_and_each_for_good() -> None:
    mine = [n for n in range(20_000) if CANARY.serves(n)]
    assert len(mine) / 20_000 == pytest.approx(0.1, abs=0.01)
    assert mine == [n for n in range(20_000) if CANARY.serves(n)]
    larger = Canary(2, "routing", CANDIDATE, "routing-1", 0.5, NOW)
    assert all(larger.serves(n) for n in mine), "a larger share takes nobody back"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (record(1_000, 100), False),
        (record(1_000, 60), False),
        (record(1_000, 200), True),
        (record(1_000, 130), False),
        (record(0, 0), False),
        (record(100, 9, others=0, others_corrected=0), False),
    ],
    ids=["as often", "less often", "twice as often", "a little more, still chance", "nothing yet", "nobody beside it"],
)
def test_only_more_corrections_than_chance_explains_are_worse(seen: Record, expected: bool) -> None:
    assert worse(seen) is expected


def test_one_that_is_no_worse_is_rarely_withdrawn_and_one_that_is_twice_as_bad_soon() -> None:
    def run(rate: float, seed: int) -> int | None:
        """Decisions of the canary until it is found worse, checked after each tenth; None: never in 2,000."""
        chance, counted = random.Random(seed), [0, 0, 0, 0]
        for n in range(20_000):
            side = 0 if chance.random() < 0.1 else 2
            counted[side] += 1
            counted[side + 1] += chance.random() < (rate if side == 0 else 0.1)
            if n % 100 == 99 and worse(record(*counted)):
                return counted[0]
        return None

    alarms = sum(run(0.1, seed) is not None for seed in range(100))
    assert alarms <= 8, "at most five of a hundred, and some by chance"
    found = [run(0.25, seed) for seed in range(30)]
    assert None not in found
    assert sorted(one for one in found if one is not None)[15] < 250


def test_it_serves_everybody_after_some_days_with_enough_decisions_or_after_very_many() -> None:
    early, late = NOW + LEAST - timedelta(hours=1), NOW + LEAST
    assert verdict(CANARY, record(ENOUGH, 10), early) is None
    assert verdict(CANARY, record(ENOUGH - 1, 10), late) is None
    assert verdict(CANARY, record(ENOUGH, 10), late) is End.PROMOTED
    assert verdict(CANARY, record(3, 0), NOW + LONGEST) is End.PROMOTED
    assert verdict(CANARY, record(1_000, 300), early) is End.WITHDRAWN, "at once"


def test_one_decision_is_recorded_in_the_singular() -> None:
    assert why(CANARY, record(1, 0)) == (
        "as a canary of 10% leads corrected 0 of its 1 decision, and 900 of 9000 of routing-1"
    )


def test_leads_hear_how_it_ended_and_on_which_figures() -> None:
    [post] = told(TASK, CANARY, record(200, 60), End.WITHDRAWN)
    figures = Trial(0.1, 200, 60, 9_000, 900)
    assert post.content == LearningReport("routing", "routing-2", False, (), trial=figures)
