"""Forgetting somebody: what is stored, the copies that trainings left on disk, and the day on which models let go."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.ledger import Change
from bot.domain.messages import Person
from bot.domain.queries import Erased, Erasure
from bot.domain.tasks import Task
from bot.domain.unlearning import TrainingTexts, Unlearning

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Forgetter:
    """Erases people from the database and from the files of trainings."""

    erasure: Erasure
    texts: TrainingTexts

    async def erase(self, person: Person, now: datetime) -> Erased:
        """See `queries.Erasure`. Files go first: an erasure that fails half-way is asked for again, and changes then
        what is left."""
        await self.texts.remove()
        return await self.erasure.erase(person, now)


@dataclass(frozen=True, slots=True)
class Unlearner:
    """Stops adapters from serving whose time is over. Every minute or so, and when the model changed."""

    name: ClassVar[str] = "unlearn"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.MODEL})
    tasks: Sequence[Task]
    base: str
    unlearning: Unlearning
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at every task; always 0, since what is due next is so only by the clock."""
        for task in self.tasks:
            gone = await self.unlearning.withdraw_due(task.name, self.base, self.now())
            if gone is not None:
                known = {"task": task.name, "adapter": gone.adapter, "serves": gone.instead or "no adapter"}
                log.warning("adapter stopped serving: somebody it had learned from was forgotten", extra=known)
        return 0


_: type[Erasure] = Forgetter
