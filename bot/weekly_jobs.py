"""Scheduled work that asks the model and reports to the leads."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.commands.compare import PRICES, price_book
from bot.commands.comparison import Comparison, Priced, compare
from bot.domain.comparison import Figures
from bot.domain.learning import Example
from bot.domain.past_comparisons import PastComparison
from bot.domain.report_posts import ComparisonReport, ReportedArm
from bot.domain.tasks import Task
from bot.flow.weekly_comparison import WeeklyComparison
from bot.model_stack import ModelStack
from bot.schedule import CronJob
from bot.settings import Settings
from bot.store import Store, now
from db.comparisons import PostgresComparisons
from db.outcomes import PostgresOutcomes

_NVIDIA = Path("/proc/driver/nvidia/version")
"""There where this machine has a GPU that vLLM would use."""


def comparison_jobs(settings: Settings, store: Store, models: ModelStack) -> list[CronJob]:
    """Whether the fine-tuned model of a task is worth it, for tasks whose fallback team has a room.

    By the price book that comes along; a model server elsewhere is priced as if it ran here.
    """
    priced = Priced(price_book(PRICES), models.server is not None and _NVIDIA.exists())
    outcomes, past = PostgresOutcomes(store.database), PostgresComparisons(store.database)
    send = WeeklyComparison(partial(_compared, store, models, priced), outcomes, past, now).send
    return [
        CronJob(f"comparison of {task.name}", task.learning.comparison, task.learning.timezone, partial(send, task))
        for task in settings.tasks
        if task.learning.comparison and task.label(task.fallback).deliver_to
    ]


async def _compared(
    store: Store, models: ModelStack, priced: Priced, task: Task, examples: Sequence[Example]
) -> PastComparison:
    known, today = await store.examples.examples(task.name), now()
    made = await compare(models.learner.scorer, task, known, examples, [], priced, today.date(), count=_quietly)
    return in_short(made, today)


def in_short(made: Comparison, at: datetime) -> PastComparison:
    """What is told of a comparison, and kept."""
    ruled, by = made.ruled
    gain, margin = (None, None) if by is None else (by.gain, by.margin)
    arms = tuple(map(_arm, made.rows))
    report = ComparisonReport(made.task, ruled.value, made.messages, gain, margin, arms, made.book.currency)
    return PastComparison(report, made.verdict, made.adapter, at)


def _arm(row: Figures) -> ReportedArm:
    found = row.difference
    low, high = (None, None) if found is None else (found.low, found.high)
    return ReportedArm(row.arm, row.accuracy, low, high, row.per_1000)


@contextmanager
def _quietly(_doing: str, _total: int | None) -> Iterator[Callable[[int], None]]:
    """Nobody sits before it."""
    yield lambda _more: None
