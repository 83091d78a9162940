"""Rolls back a champion that leads correct more often than the one before, once, and tells them why."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain import compose
from bot.domain.automatic_rollback import LiveRecord, Serving, too_often
from bot.domain.plural import counted
from bot.domain.tasks import Task, routing_task

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AutomaticRollback:
    """Compares how the champions' decisions fared. Several processes may run it."""

    name: ClassVar[str] = "rollback"
    tasks: Sequence[Task]
    base: str
    record: LiveRecord
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at every task whose settings want it. Always returns 0: new evidence takes a while to come."""
        for task in self.tasks:
            if task.learning.automatic_rollback:
                serving = await self.record.serving(task.name, self.base, self.now())
                if serving is not None and too_often(serving.before, serving.now):
                    await self._withdraw(task, serving)
        return 0

    async def _withdraw(self, task: Task, serving: Serving) -> None:
        now, before = serving.now, serving.before
        reason = (
            f"rolled back from {serving.adapter}: "
            f"leads corrected {now.corrected} of its {counted(now.decided, 'decision')}, "
            f"and {before.corrected} of {before.decided} of {serving.previous}"
        )
        leads = routing_task(self.tasks)
        if await self.record.withdraw(serving, reason, compose.withdrawn(task, serving, leads), self.now()):
            figures = {"decided": now.decided, "corrected": now.corrected}
            log.warning("adapter withdrawn", extra={"task": task.name, "adapter": serving.adapter, **figures})
