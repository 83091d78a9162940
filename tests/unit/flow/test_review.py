"""The alarm that something has changed: this week's conversations compared with those of the four before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from bot.domain.drift import Measure
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Memory
from bot.domain.outcomes import Outcome
from bot.flow.review import MOST, DriftWatch, Reviewer
from tests.fakes import FakeKnowledge
from tests.samples import NOW, TASK
from tests.unit.domain.test_drift import EVEN, outcomes


@dataclass(frozen=True, slots=True)
class Known:
    """A fixed set of outcomes."""

    kept: Sequence[Outcome]

    async def outcomes(
        self, task: str, since: datetime, until: datetime, limit: int, vectors_by: str | None = None
    ) -> Sequence[Outcome]:
        return [one for one in self.kept if since <= one.at < until][-limit:]


def at(found: Sequence[Outcome], days: float) -> list[Outcome]:
    return [replace(one, at=NOW - timedelta(days=days)) for one in found]


async def seen(before: Sequence[Outcome], week: Sequence[Outcome]) -> dict[tuple[str, str], bool]:
    reviewer = Reviewer(
        Known([*at(before, 20), *at(week, 2)]), cast(Memory, FakeKnowledge(Neighbours())), "tiny", lambda: NOW
    )
    watch = DriftWatch([TASK], reviewer)
    await watch.step()
    return watch.latest


async def test_a_week_like_those_before_is_none() -> None:
    assert set((await seen(outcomes(EVEN), outcomes(EVEN))).values()) == {False}


async def test_a_week_in_which_one_team_gets_nearly_all_is_an_alarm() -> None:
    found = await seen(outcomes(EVEN), outcomes({"billing": 5, "delivery": 5, "it": 290}))
    assert found["routing", "teams"] and not found["routing", "out_of_scope"]


async def test_of_too_few_there_is_neither_yes_nor_no() -> None:
    assert await seen(outcomes(EVEN), outcomes({"it": 20})) == {}


async def test_a_week_of_more_than_a_review_holds_hides_neither_the_time_before_nor_itself() -> None:
    week = outcomes({"it": MOST + 10})
    reviewer = Reviewer(
        Known([*at(outcomes(EVEN), 20), *at(week, 2)]), cast(Memory, FakeKnowledge(Neighbours())), "tiny", lambda: NOW
    )
    made = await reviewer.review(TASK, timedelta(days=28))
    assert (len(made.outcomes), made.whole, made.enough) == (MOST, False, True)
    assert made.drifts[Measure.TEAMS].alarm
