"""Once a week: compares the fine-tuned model with others on what was settled lately, and tells the leads."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import UsageError
from bot.domain.learning import Example
from bot.domain.outcomes import Outcomes
from bot.domain.past_comparisons import PastComparison, PastComparisons, told
from bot.domain.settled import settled_messages
from bot.domain.tasks import Task

log = logging.getLogger(__name__)

BACK = timedelta(days=90)
_MOST_CONVERSATIONS = 20_000
MOST_MESSAGES = 400
"""The newest. They usually tell two arms apart that differ by three points, and asking all takes a minute."""

Compare = Callable[[Task, Sequence[Example]], Awaitable[PastComparison]]


@dataclass(frozen=True, slots=True)
class WeeklyComparison:
    """Makes a task's comparison, keeps its verdict, and puts the report to the leads into the outbox."""

    compare: Compare
    """Raises UsageError where nothing is left to judge by, and Unreachable while a voice is silent."""
    outcomes: Outcomes
    past: PastComparisons
    now: Callable[[], datetime]

    async def send(self, task: Task, tick: str) -> bool:
        """Whether this process made the comparison; `tick` names the week, the same in all processes."""
        async with self.past.alone(task.name):
            return not await self.past.made(task.name, tick) and await self._made(task, tick)

    async def _made(self, task: Task, tick: str) -> bool:
        now = self.now()
        outcomes = await self.outcomes.outcomes(task.name, now - BACK, now, _MOST_CONVERSATIONS)
        settled = settled_messages(outcomes, task.names)
        about: dict[str, object] = {"task": task.name, "settled": len(settled.examples)}
        if not settled.examples:
            log.info("comparison skipped: nothing settled to judge by", extra=about)
            return False
        try:
            made = await self.compare(task, settled.examples[-MOST_MESSAGES:])
        except UsageError as error:  # a later try would find no more to judge by
            log.warning("comparison skipped", extra=about | {"problem": str(error)})
            return False
        before = next(iter(await self.past.newest(task.name, 1)), None)
        posts = told(task, made, before)
        kept = await self.past.add(tick, made, posts)
        log.info("comparison made", extra=about | {"ruling": made.report.ruling, "posts": len(posts)})
        return kept
