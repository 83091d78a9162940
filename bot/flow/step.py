"""A step of the flow: what it works on, one item at a time, and what wakes it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.tracing import span

Item = TypeVar("Item")

AT_ONCE = 32
"""How many items a step handles at the same time."""


class Step(ABC, Generic[Item]):
    """Claims items and handles each of them alone, so that none waits for another. See `worker_pool`."""

    __slots__ = ()

    name: ClassVar[str]
    """The step's name in logs, metrics and `switchboard failed`."""
    wakes_on: ClassVar[frozenset[Change]] = frozenset()
    """The changes in the database that mean new work for it; work from any other cause is found within a second."""

    ends_alone: ClassVar[bool] = False
    """Whether the end of an item makes no other one due, but for what came meanwhile: then nothing is looked for."""

    @abstractmethod
    async def claim(self, limit: int, at_work: Sequence[Item] = ()) -> Sequence[Item]:
        """Claim and return up to `limit` waiting items; `at_work` are those that are being handled now."""

    @abstractmethod
    async def handle(self, item: Item) -> None:
        """Conclude one claimed item. What it raises concerns this item alone."""

    @abstractmethod
    def key(self, item: Item) -> ItemKey:
        """The name under which a failure of the item is stored."""

    async def work(self, item: Item) -> None:
        """Handle the item as a part of its conversation's trace."""
        key = self.key(item)
        with span(key.step, key.conversation):
            await self.handle(item)

    async def step(self) -> int:
        """Claim once and handle what was claimed; return how many. Raises the first of their errors once all ended."""
        items = await self.claim(AT_ONCE)
        ends = await asyncio.gather(*(self.work(item) for item in items), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return len(items)
