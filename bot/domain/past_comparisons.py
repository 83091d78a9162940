"""Scheduled comparisons and their verdicts: is fine-tuning worth it, week by week?"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.posts import Post
from bot.domain.report_posts import ComparisonReport, ReportedArm
from bot.domain.tasks import Task
from bot.domain.worth import LEAST


@dataclass(frozen=True, slots=True)
class PastComparison:
    """A scheduled comparison: its verdict, and each arm's main figures."""

    report: ComparisonReport
    verdict: str
    """In the words that the command uses."""
    adapter: str | None
    """The adapter that served; None: none did."""
    at: datetime


class PastComparisons(Protocol):
    """Keeps comparisons, each once, however many processes want to make it."""

    def alone(self, task: str) -> AbstractAsyncContextManager[None]:
        """The turn to make one, held by one process at a time: it takes minutes."""

    async def made(self, task: str, tick: str) -> bool:
        """Whether the comparison of that tick was made."""

    async def add(self, tick: str, made: PastComparison, posts: Sequence[Post]) -> bool:
        """Keep it, and owe the posts. False: it was kept already, and nothing is owed."""

    async def newest(self, task: str, limit: int) -> Sequence[PastComparison]:
        """Comparisons, newest first."""


def told(task: Task, made: PastComparison, before: PastComparison | None) -> list[Post]:
    """The report for the fallback team's rooms, where the leads are. Too few messages are reported once only."""
    same = before is not None and before.report.ruling == made.report.ruling
    if made.report.messages < LEAST and same:
        return []
    return [Post(room, made.report) for room in task.leads_rooms]


def arms_over_time(past: Sequence[PastComparison]) -> dict[str, list[ReportedArm | None]]:
    """Arm -> its figures in each comparison, oldest first; None: it took no part."""
    names = dict.fromkeys(arm.name for one in past for arm in one.report.arms)
    by_time = [{arm.name: arm for arm in one.report.arms} for one in sorted(past, key=lambda one: one.at)]
    return {name: [known.get(name) for known in by_time] for name in names}
