"""Asks the candidate in the shadow what it would have decided. Nobody waits for that, and nobody is told."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from bot.domain.ledger import Change
from bot.domain.shadow import Shadows
from bot.domain.tasks import Task
from bot.flow.classify import BATCH, Classifier

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shadow:
    """Asks through the serving path, but with the candidate's adapter and each text hidden from memory and voices.

    By the time it is asked a lead may have corrected that very text; unless it is hidden the answer would be known.
    """

    name: ClassVar[str] = "shadow"
    wakes_on: ClassVar[frozenset[Change]] = frozenset()
    """Empty: it takes what waits when it has time."""
    tasks: Sequence[Task]
    classifier: Classifier
    shadows: Shadows
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Ask about a batch of waiting texts a task; return how many were answered. Those of a silent voice wait."""
        return sum([await self._hear(task) for task in self.tasks if task.learning.shadow])

    async def _hear(self, task: Task) -> int:
        shadow = await self.shadows.shadow(task.name, self.classifier.base)
        if shadow is None:
            return 0
        waiting = await self.shadows.unheard(shadow, BATCH)
        if not waiting:
            return 0
        query = replace(await self.classifier.query(task), adapter=shadow)
        known = await self.classifier.consider(query, [one.text for one in waiting], leave_out_itself=True)
        labels = {
            one.conversation: considered.decided(task, may_ask=False).label
            for one, considered in zip(waiting, known, strict=True)
            if not considered.silent
        }
        await self.shadows.heard(shadow, labels, self.now())
        log.info("shadow heard", extra={"task": task.name, "adapter": shadow.name, "conversations": len(labels)})
        return len(labels)
