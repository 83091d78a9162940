"""Forgets a person: what is stored, the copies that trainings left on disk, and in time the adapters."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain import compose
from bot.domain.ledger import Change
from bot.domain.messages import Person
from bot.domain.queries import Erased, Erasure
from bot.domain.tasks import Task, routing_task
from bot.domain.unlearning import TrainingTexts, Unlearning, Withdrawn

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Forgetter:
    """Erases people from the database and from the files of trainings that learned from them."""

    erasure: Erasure
    unlearning: Unlearning
    texts: TrainingTexts

    async def erase(self, person: Person, now: datetime) -> Erased:
        """Erase a person; see `queries.Erasure`.

        The database goes first, and from then on names the files that hold the person's words. Files that cannot be
        removed now are removed when the person is erased again, or by `Unlearner`.
        """
        erased = await self.erasure.erase(person, now)
        await self.texts.remove(await self.unlearning.voided())
        return erased


@dataclass(frozen=True, slots=True)
class Unlearner:
    """Withdraws adapters that may no longer serve and tells leads, every minute or so and when the model changed.

    It also removes copies of texts that an erasure could not reach: on another machine, or on a full disk.
    """

    name: ClassVar[str] = "unlearn"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.MODEL})
    tasks: Sequence[Task]
    base: str
    unlearning: Unlearning
    texts: TrainingTexts
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at every task. Always returns 0: only the clock tells when the next adapter is due."""
        for task in self.tasks:
            gone = await self.unlearning.due(task.name, self.base, self.now())
            if gone:
                await self._withdraw(task, gone)
        await self.texts.remove(await self.unlearning.voided())
        return 0

    async def _withdraw(self, task: Task, gone: Sequence[Withdrawn]) -> None:
        leads = routing_task(self.tasks)
        posts = [post for one in gone for post in compose.unlearned(task, one, leads)]
        if not await self.unlearning.withdraw(task.name, self.base, gone, posts, self.now()):
            return
        for one in gone:
            known = {"task": task.name, "adapter": one.adapter, "serves": one.instead or "no adapter"}
            log.warning("adapter stopped serving: somebody it had learned from was forgotten", extra=known)


_: type[Erasure] = Forgetter
