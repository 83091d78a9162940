"""How old what matters is: what waits to be decided or said, and the model that serves. For `/readyz`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import Unreachable
from bot.domain.model_ports import Registry
from bot.domain.queries import Queries
from bot.domain.tasks import Task


@dataclass(frozen=True, slots=True)
class Ages:
    """Asked of the connections that probes have to themselves."""

    queries: Queries
    registry: Registry
    task: Task
    base: str
    now: Callable[[], datetime]

    async def __call__(self) -> Mapping[str, float | None]:
        """Seconds; None: nothing waits, nothing is trained, or the database does not answer."""
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
