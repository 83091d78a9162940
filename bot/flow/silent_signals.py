"""Counts what people show without saying it, for the metrics."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.silent_signals import SilentSignals, counts
from bot.domain.tasks import Task


@dataclass(frozen=True, slots=True)
class SilentSignalWatch:
    """Counts now and then: over a million conversations that takes longer than a scrape may."""

    tasks: Sequence[Task]
    signals: SilentSignals
    latest: dict[tuple[str, str], int] = field(default_factory=dict)
    """(task, kind) -> how many there were at the last look."""

    async def step(self) -> int:
        """Look at every task that learns from them. Always returns 0: new ones take a while to come."""
        for task in self.tasks:
            if task.learning.silent_signals > 0:
                found = counts(await self.signals.signals(task))
                self.latest.update({(task.name, kind.value): count for kind, count in found.items()})
        return 0
