"""Scheduled work that asks the model and reports to the leads."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.commands.compare import known_prices
from bot.commands.compare_options import with_prices_of
from bot.commands.comparison import Comparison, Priced, compare
from bot.commands.prompting import Prompter, Wanted
from bot.domain.comparison import Figures
from bot.domain.learning import Example
from bot.domain.model_ports import Examples
from bot.domain.past_comparisons import PastComparison
from bot.domain.report_posts import ComparisonReport, ReportedArm
from bot.domain.tasks import Task
from bot.flow.score import Scorer
from bot.flow.weekly_comparison import WeeklyComparison
from bot.model_stack import ModelStack
from bot.prompted_models import own_base
from bot.schedule import CronJob
from bot.settings import Settings
from bot.store import Store, now
from db.comparisons import PostgresComparisons
from db.outcomes import PostgresOutcomes

log = logging.getLogger(__name__)

_NVIDIA = Path("/proc/driver/nvidia/version")
"""Exists where this machine has a GPU that vLLM would use."""


def comparison_jobs(settings: Settings, store: Store, models: ModelStack) -> list[CronJob]:
    """Weekly jobs that ask whether a task's fine-tuned model is worth it; for tasks whose fallback team has a room.

    Prices are those of the settings' price book; a model server elsewhere is priced as if it ran here. Hosted models
    are asked where the settings say so.
    """
    wanted = Wanted(tuple(one for one in settings.endpoints if one.weekly))
    book = with_prices_of(wanted.endpoints, known_prices(settings))
    priced = Priced(book, models.server is not None and _NVIDIA.exists())
    prompter = Prompter(
        wanted,
        settings,
        models.classifier.embedder,
        store.lessons,
        partial(own_base, settings, models),
        *(book, priced.gpu, _kept, _quietly),
    )
    outcomes, past = PostgresOutcomes(store.database), PostgresComparisons(store.database)
    send = WeeklyComparison(
        partial(compared, store.examples, models.learner.scorer, priced, prompter), outcomes, past, now
    ).send
    return [
        CronJob(f"comparison of {task.name}", task.learning.comparison, task.learning.timezone, partial(send, task))
        for task in settings.tasks
        if task.learning.comparison and task.leads_rooms
    ]


async def compared(
    learned: Examples, scorer: Scorer, priced: Priced, prompter: Prompter, task: Task, judging: Sequence[Example]
) -> PastComparison:
    """The answers of every arm to these messages, compared. An arm that cannot be asked is left out and logged."""
    known, today = await learned.examples(task.name), now()
    prompting = prompter.ask if prompter.wanted.anything else None
    made = await compare(scorer, task, known, judging, [], priced, today.date(), prompting, _quietly)
    for arm, problem in made.failed:
        log.warning("arm left out of the comparison", extra={"task": task.name, "arm": arm, "problem": problem})
    return in_short(made, today)


def in_short(made: Comparison, at: datetime) -> PastComparison:
    """The part of a comparison that is reported and kept."""
    ruled, by = made.ruled
    gain, margin = (None, None) if by is None else (by.gain, by.margin)
    arms = tuple(map(_arm, made.rows))
    report = ComparisonReport(made.task, ruled.value, made.messages, gain, margin, arms, made.book.currency)
    return PastComparison(report, made.verdict, made.adapter, at)


def _arm(row: Figures) -> ReportedArm:
    found = row.difference
    low, high = (None, None) if found is None else (found.low, found.high)
    return ReportedArm(row.arm, row.accuracy, low, high, row.per_1000)


async def _kept() -> None:
    """Leave the model server running: hosted models need no room beside it."""


@contextmanager
def _quietly(_doing: str, _total: int | None) -> Iterator[Callable[[int], None]]:
    """Show no progress: nobody is watching."""
    yield lambda _more: None
