"""The ages that matter, for `/readyz`: of what waits to be decided or said, and of the model that serves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import Unreachable
from bot.domain.model_ports import Registry
from bot.domain.queries import Queries
from bot.domain.tasks import Task
from bot.domain.training_progress import LOOKED_AT, at_work


@dataclass(frozen=True, slots=True)
class Ages:
    """Asks through the connections that are reserved for probes."""

    queries: Queries
    registry: Registry
    task: Task
    base: str
    now: Callable[[], datetime]

    async def __call__(self) -> Mapping[str, float | None]:
        """Ages in seconds; None: nothing waits, nothing is trained, or the database does not answer."""
        ages: dict[str, float | None] = {"oldest_undecided": None, "oldest_unsaid": None, "model": None}
        try:
            backlog = await self.queries.backlog(self.now())
            for what in ("undecided", "unsaid"):
                if backlog[what]:
                    ages[f"oldest_{what}"] = backlog[f"oldest_{what}_seconds"]
            champion = await self.registry.champion(self.task.name, self.base)
            if champion is not None:
                ages["model"] = (self.now() - champion.made).total_seconds()
        except Unreachable:
            return ages
        return ages


@dataclass(frozen=True, slots=True)
class Learned:
    """The age of each task's model, and the progress of the training at work, else of the newest."""

    registry: Registry
    tasks: Sequence[Task]
    base: str

    async def __call__(self, now: datetime) -> Mapping[str, tuple[float | None, float]]:
        """Task -> (age in seconds, None: none serves; progress from 0 to 1, 0 also if there was no cycle yet)."""
        found = {}
        for task in self.tasks:
            champion, cycles = (
                await self.registry.champion(task.name, self.base),
                await self.registry.cycles(task.name, LOOKED_AT),
            )
            age = None if champion is None else (now - champion.made).total_seconds()
            cycle = at_work(cycles)
            found[task.name] = (age, 0.0 if cycle is None else cycle.progress)
        return found
