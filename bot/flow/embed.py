"""Gives every example its place in the memory: examples without a vector get one."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.errors import Unreachable
from bot.domain.failures import ItemKey, failure_of
from bot.domain.ledger import Change
from bot.domain.model_ports import Embedder, Memory
from bot.domain.ports import FailedItems

log = logging.getLogger(__name__)

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class EmbeddingBackfill:
    """Embeds examples from files. Corrections bring their vector along and never wait for this."""

    name: ClassVar[str] = "embed"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.EXAMPLE})
    memory: Memory
    embedder: Embedder
    failures: FailedItems
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Embed some examples that have no vector yet, and return how many. Interrupted, it goes on where it stopped.

        They share one call. When that fails, each is embedded alone, so that a bad example does not hold up the others.
        """
        waiting = await self.memory.unembedded(self.embedder.name, _AT_ONCE)
        if not waiting:
            return 0
        try:
            await self._remember(waiting)
        except Unreachable:
            raise
        except Exception:  # noqa: BLE001 - told apart below, example by example
            for one in waiting:
                await self._alone(one)
        return len(waiting)

    async def _remember(self, waiting: Sequence[tuple[int, str]]) -> None:
        vectors = await self.embedder.embed([text for _, text in waiting])
        await self.memory.remember(self.embedder.name, dict(zip([i for i, _ in waiting], vectors, strict=True)))

    async def _alone(self, one: tuple[int, str]) -> None:
        try:
            await self._remember([one])
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it concerns this example alone, and is stored
            failure = failure_of(ItemKey(self.name, str(one[0])), error)
            about = {"step": self.name, "item": failure.key.item, "problem": failure.reason}
            if await self.failures.failed(failure, self.now()):
                told = {**about, "remedy": "switchboard failed list"}
                log.error("item set aside after too many failures", extra=told)
            else:
                log.warning("item failed, tried again later", extra=about)

    async def all(self, told: Callable[[int], None]) -> None:
        """Embed everything that waits; `told` is called after each batch with how many it embedded."""
        while done := await self.step():
            told(done)
