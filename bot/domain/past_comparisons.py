"""Comparisons that were made by schedule, and their verdicts: is fine-tuning worth it, week by week?"""

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
    """One comparison by schedule: its verdict, and each arm in short."""

    report: ComparisonReport
    verdict: str
    """In words, as the command says it."""
    adapter: str | None
    """Who served; None: no adapter did."""
    at: datetime


class PastComparisons(Protocol):
    """Keeps them, each once, however many processes would like to make it."""

    def alone(self, task: str) -> AbstractAsyncContextManager[None]:
        """The turn to make one: it takes minutes, and one process is enough."""

    async def made(self, task: str, tick: str) -> bool:
        """Whether that one was made."""

    async def add(self, tick: str, made: PastComparison, posts: Sequence[Post]) -> bool:
        """Keep it, and owe the posts. False: it was kept already, and nothing is owed."""

    async def newest(self, task: str, limit: int) -> Sequence[PastComparison]:
        """Newest first."""


def told(task: Task, made: PastComparison, before: PastComparison | None) -> list[Post]:
    """Into the rooms of the fallback team, where leads are. That there are too few messages is said once."""
    same = before is not None and before.report.ruling == made.report.ruling
    if made.report.messages < LEAST and same:
        return []
    return [Post(room, made.report) for room in task.label(task.fallback).deliver_to.values()]


def arms_over_time(past: Sequence[PastComparison]) -> dict[str, list[ReportedArm | None]]:
    """Arm -> what it was in each comparison, oldest first; None: it took no part."""
    names = dict.fromkeys(arm.name for one in past for arm in one.report.arms)
    by_time = [{arm.name: arm for arm in one.report.arms} for one in sorted(past, key=lambda one: one.at)]
    return {name: [known.get(name) for known in by_time] for name in names}
