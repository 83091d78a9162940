"""Shows leads how far a training is, whichever process trains: it reads what the cycle publishes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.ledger import Change
from bot.domain.model_ports import Registry
from bot.domain.tasks import Task
from bot.domain.training_progress import LOOKED_AT, TrainingPosts, progress, shows_progress


@dataclass(frozen=True, slots=True)
class TrainingProgressKeeper:
    """Keeps one post for each cycle in each of the leads' rooms. Several processes may run it."""

    name: ClassVar[str] = "training progress"
    wakes_on: ClassVar[frozenset[Change]] = frozenset()
    """Empty: a training changes its progress twice a second."""
    tasks: Sequence[Task]
    registry: Registry
    posts: TrainingPosts
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at every task's newest cycles. Always returns 0: the next news takes a while to come."""
        for task in self.tasks:
            for cycle in await self.registry.cycles(task.name, LOOKED_AT):
                if not shows_progress(cycle):
                    continue
                if posts := progress(task, cycle, await self.posts.told(cycle.id)):
                    await self.posts.tell(cycle, posts, self.now())
        return 0
