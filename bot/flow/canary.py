"""Ends a canary when it has been out for long enough, or when leads correct it more often than the champion."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.canary import Canaries, told, verdict, why
from bot.domain.tasks import Task, routing_task

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CanaryWatch:
    """Compares how the canary's and the champion's decisions fared. Several processes may run it."""

    name: ClassVar[str] = "canary"
    tasks: Sequence[Task]
    base: str
    canaries: Canaries
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at every task. Always returns 0: new evidence takes a while to come."""
        for task in self.tasks:
            canary = await self.canaries.canary(task.name, self.base)
            if canary is None:
                continue
            now = self.now()
            record = await self.canaries.record(canary, now)
            if (how := verdict(canary, record, now)) is None:
                continue
            posts = told(task, canary, record, how, routing_task(self.tasks))
            if await self.canaries.end(canary, how, why(canary, record), posts, now):
                log.warning("canary ended", extra={"task": task.name, "adapter": canary.adapter.name, "how": how.value})
        return 0
