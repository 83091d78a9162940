"""Sends the weekly digest to the leads' room."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.digest import Digests, digest
from bot.domain.tasks import Task
from bot.flow.review import Reviewer

log = logging.getLogger(__name__)
_BACK = timedelta(days=35)


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
        owed = await self.digests.owe_digest(task.name, tick, digest(task, made, now), now)
        if owed:
            log.info("digest owed", extra={"task": task.name})
        return owed
