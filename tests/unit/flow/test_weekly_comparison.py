"""The weekly comparison: of settled messages, reported and stored once, and silent if there is nothing to report."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.domain.errors import Unreachable, UsageError
from bot.domain.learning import Example, Side, side_of
from bot.domain.messages import Place
from bot.domain.outcomes import Outcome
from bot.domain.past_comparisons import PastComparison, arms_over_time
from bot.domain.posts import Post
from bot.domain.tasks import Task
from bot.domain.worth import Ruling
from bot.flow.weekly_comparison import BACK, MOST_MESSAGES, WeeklyComparison
from tests.samples import COMPARED, NOW, TASK
from tests.unit.domain.test_settled import HELD_OUT, outcome
from tests.unit.test_settled_messages import FakeOutcomes

MADE = PastComparison(COMPARED, "Worth it: +4.1 ± 1.2 points.", "routing-1", NOW)
FEW = replace(MADE, report=replace(COMPARED, ruling=Ruling.TOO_FEW.value, messages=12))


@dataclass
class FakeComparisons:
    """Keeps them in memory."""

    kept: dict[str, PastComparison] = field(default_factory=dict)
    owed: list[Post] = field(default_factory=list)
    turns: int = 0

    @asynccontextmanager
    async def alone(self, task: str) -> AsyncIterator[None]:
        self.turns += 1
        yield

    async def made(self, task: str, tick: str) -> bool:
        return tick in self.kept

    async def add(self, tick: str, made: PastComparison, posts: Sequence[Post]) -> bool:
        if tick in self.kept:
            return False
        self.kept[tick] = made
        self.owed += posts
        return True

    async def newest(self, task: str, limit: int) -> Sequence[PastComparison]:
        return list(reversed(self.kept.values()))[:limit]


@dataclass
class Comparing:
    """Gives the result that a test wants, and records what it was asked to judge."""

    says: PastComparison | Exception = MADE
    asked: list[Sequence[Example]] = field(default_factory=list)

    async def __call__(self, task: Task, examples: Sequence[Example]) -> PastComparison:
        self.asked.append(examples)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def weekly(
    comparing: Comparing, past: FakeComparisons, known: Sequence[Outcome] | None = None
) -> tuple[WeeklyComparison, FakeOutcomes]:
    outcomes = FakeOutcomes([outcome(HELD_OUT[0]), outcome(HELD_OUT[1], settled=False)] if known is None else known)
    return WeeklyComparison(comparing, outcomes, past, lambda: NOW), outcomes


async def test_the_leads_hear_the_verdict_by_what_was_settled_and_it_is_kept() -> None:
    comparing, past = Comparing(), FakeComparisons()
    sender, outcomes = weekly(comparing, past)
    assert await sender.send(TASK, "monday")
    assert past.owed == [Post(Place("web", "triage"), COMPARED)]
    assert past.kept == {"monday": MADE}
    assert [one.text for one in comparing.asked[0]] == [HELD_OUT[0]]
    assert outcomes.asked == [("routing", NOW - BACK, NOW)]


async def test_what_was_made_is_not_made_again() -> None:
    comparing, past = Comparing(), FakeComparisons()
    sender, _ = weekly(comparing, past)
    assert [await sender.send(TASK, "monday") for _ in range(2)] == [True, False]
    assert (len(comparing.asked), past.turns) == (1, 2)
    assert await sender.send(TASK, "next monday")


async def test_nothing_settled_is_no_comparison() -> None:
    comparing, past = Comparing(), FakeComparisons()
    sender, _ = weekly(comparing, past, [outcome(text, settled=False) for text in HELD_OUT])
    assert not await sender.send(TASK, "monday")
    assert (comparing.asked, past.kept) == ([], {})


async def test_only_the_newest_messages_are_asked_about() -> None:
    comparing, past = Comparing(), FakeComparisons()
    texts = [text for text in (f"request {n}" for n in range(4_000)) if side_of(text) is Side.HELD_OUT]
    assert len(texts) > MOST_MESSAGES
    known = [replace(outcome(HELD_OUT[0]), text=text, at=NOW + timedelta(n)) for n, text in enumerate(texts)]
    sender, _ = weekly(comparing, past, known)
    await sender.send(TASK, "monday")
    assert [one.text for one in comparing.asked[0]] == texts[-MOST_MESSAGES:]


async def test_too_few_messages_are_told_once_and_kept_every_week() -> None:
    comparing, past = Comparing(FEW), FakeComparisons()
    sender, _ = weekly(comparing, past)
    for tick in ("first", "second", "third"):
        assert await sender.send(TASK, tick)
    assert (len(past.owed), len(past.kept)) == (1, 3)
    comparing.says = MADE
    await sender.send(TASK, "fourth")
    await sender.send(TASK, "fifth")
    assert [post.content for post in past.owed[1:]] == [COMPARED, COMPARED]


async def test_a_silent_model_is_asked_again_and_nothing_to_judge_by_is_not() -> None:
    past = FakeComparisons()
    sender, _ = weekly(Comparing(Unreachable("the model fell silent")), past)
    with pytest.raises(Unreachable):
        await sender.send(TASK, "monday")
    sender, _ = weekly(Comparing(UsageError("nothing to compare by")), past)
    assert not await sender.send(TASK, "monday")
    assert past.kept == {}


def test_an_arm_that_took_no_part_is_missing_from_its_line() -> None:
    alone = replace(MADE, at=NOW - timedelta(days=7), report=replace(COMPARED, arms=COMPARED.arms[2:3]))
    lines = arms_over_time([MADE, alone])
    assert list(lines) == [arm.name for arm in COMPARED.arms]
    assert lines["words"] == [None, COMPARED.arms[1]]
    assert lines["mixture"] == [COMPARED.arms[2], COMPARED.arms[2]]
