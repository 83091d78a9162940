"""Sends the weekly digest to the leads' room."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.digest import DAYS, Digests, Tally, digest, tally
from bot.domain.tasks import Task
from bot.flow.review import Reviewer

log = logging.getLogger(__name__)
_BACK = timedelta(days=35)
_DAY = timedelta(days=1)
_MOST = 5_000
"""The most conversations that are held at once."""
_SHORTEST = timedelta(seconds=1)
"""No shorter time is halved."""


@dataclass(frozen=True, slots=True)
class DigestSender:
    """Puts a task's digest into the outbox."""

    reviewer: Reviewer
    digests: Digests
    now: Callable[[], datetime]

    async def send(self, task: Task, tick: str) -> bool:
        """Whether this process put the digest into the outbox; `tick` names the week, the same in all processes."""
        made = await self.reviewer.review(task, _BACK)
        now = self.now()
        ends = [now - ago * _DAY for ago in reversed(range(DAYS))]
        days = [await self._counted(task, end - _DAY, end) for end in ends]
        owed = await self.digests.owe_digest(task.name, tick, digest(task, made, days), now)
        if owed:
            log.info("digest owed", extra={"task": task.name})
        return owed

    async def _counted(self, task: Task, since: datetime, until: datetime) -> Tally:
        """The figures of that time; where there is more than is held at once, of its halves."""
        found = await self.reviewer.results.outcomes(task.name, since, until, _MOST)
        if len(found) < _MOST or until - since < _SHORTEST:
            return tally(found)
        middle = since + (until - since) / 2
        return await self._counted(task, since, middle) + await self._counted(task, middle, until)
