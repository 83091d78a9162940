"""Facts on their way into the ledger: stored together, a bounded number at a time.

Storing one fact costs a transaction, and a thousand at once would wait for each other until their platforms give up. So
all that waits is stored together. A fact that comes when too many wait is turned away at once, while the platform
still has time to send it again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain.errors import Unreachable
from bot.domain.ledger import Ledger, Stored, ThreadingPolicy
from bot.domain.messages import Fact

TOGETHER = 64
"""Facts a transaction."""
WRITERS = 4
"""Transactions at a time: enough to keep the database busy, and few of the pool's connections."""
MOST_WAITING = 2_048
"""Facts that may wait: as many as the database stores within the time that a platform allows for an answer."""


@dataclass(slots=True)
class _Waiting:
    """The outcome of a fact, and how many deliveries of it wait for that."""

    stored: asyncio.Future[Stored]
    waiters: int = 0


@dataclass(slots=True)
class IntakeQueue:
    """Stores facts in the order in which they came. Several deliveries of one fact are stored once."""

    ledger: Ledger
    policy: ThreadingPolicy
    _waiting: dict[Fact, _Waiting] = field(default_factory=dict)
    _underway: dict[Fact, _Waiting] = field(default_factory=dict)
    _writers: set[asyncio.Task[None]] = field(default_factory=set)

    async def store(self, fact: Fact) -> Stored:
        """Store the fact and return what came of it. Raises Unreachable when it must be sent again."""
        entry = self._waiting.get(fact) or self._underway.get(fact) or self._admitted(fact)
        entry.waiters += 1
        try:
            return await asyncio.shield(entry.stored)
        finally:
            entry.waiters -= 1
            if not entry.waiters and self._waiting.get(fact) is entry:
                del self._waiting[fact]  # every caller that brought it gave up, and will bring it again

    def _admitted(self, fact: Fact) -> _Waiting:
        if len(self._waiting) >= MOST_WAITING:
            raise Unreachable("intake: too much comes in at once")
        entry = self._waiting[fact] = _Waiting(asyncio.get_running_loop().create_future())
        if len(self._writers) < WRITERS:
            writer = asyncio.create_task(self._write(), name="store what came in")
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return entry

    async def _write(self) -> None:
        while self._waiting:
            batch = dict(list(self._waiting.items())[:TOGETHER])
            for fact in batch:
                del self._waiting[fact]
            self._underway |= batch
            try:
                _tell(batch, await self._stored(list(batch)))
            finally:
                for fact, entry in batch.items():
                    del self._underway[fact]
                    entry.stored.cancel()  # does nothing unless this task was cancelled before it set an outcome

    async def _stored(self, facts: Sequence[Fact]) -> Sequence[Stored | Exception]:
        try:
            return await self.ledger.add_facts(facts, self.policy)
        except Exception as error:  # noqa: BLE001 - raised to every caller that waits for one of these facts
            return [error] * len(facts)


def _tell(batch: dict[Fact, _Waiting], outcomes: Sequence[Stored | Exception]) -> None:
    for entry, outcome in zip(batch.values(), outcomes, strict=True):
        if entry.stored.done():
            continue
        if isinstance(outcome, Exception):
            entry.stored.set_exception(outcome)
            if not entry.waiters:
                entry.stored.exception()  # mark it as retrieved: no caller is left to raise it to
        else:
            entry.stored.set_result(outcome)
