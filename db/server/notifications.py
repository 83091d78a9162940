"""Listens for changes announced by any process."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import psycopg

from bot.domain.errors import Unreachable
from bot.domain.ledger import Change
from db.engine import CHANNEL, Database

log = logging.getLogger(__name__)

_SHORTEST, _LONGEST = 0.1, 5.0
"""The shortest and the longest pause between attempts to listen again, in seconds."""
_LOOK_EVERY = 0.5
"""Seconds between looks for changes where no notification can arrive."""
_ANYTHING = frozenset(Change)


@asynccontextmanager
async def listen(database: Database) -> AsyncIterator[AsyncIterator[frozenset[Change]]]:
    """Listen from the beginning of the block to its end; reconnects by itself. Raises Unreachable at the beginning."""
    ears = _Listener(database)
    try:
        await ears.open()
        async with aclosing(ears.heard()) as heard:
            yield heard
    finally:
        await ears.close()


class _Listener:
    """A connection that receives changes (LISTEN), replaced when it is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: psycopg.AsyncConnection | None = None

    async def open(self) -> None:
        """Connect and listen. Behind a pooler no notification arrives: there it is enough that the database answers."""
        if await self._database.pooled():
            return
        self._connection = await self._database.dedicated()
        await self._connection.execute(f"LISTEN {CHANNEL}")

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def heard(self) -> AsyncGenerator[frozenset[Change], None]:
        while self._connection is None:
            await asyncio.sleep(_LOOK_EVERY)
            yield _ANYTHING
        while True:
            changes = await self._wait()
            if changes is None:
                await self._heal()
            yield _ANYTHING if changes is None else changes  # what was missed is unknown

    async def _wait(self) -> frozenset[Change] | None:
        """The changes announced next. None: the connection is lost."""
        if self._connection is None:
            return None
        words: list[str] = []
        try:
            # Notifications that came along with the first are read, too, so that a burst wakes everybody once
            async for notification in self._connection.notifies(stop_after=1):
                words.append(notification.payload)
        except psycopg.OperationalError as error:
            log.warning("database notifications lost, reconnecting", extra={"error": type(error).__name__})
            return None
        return None if self._connection.closed else _read(words)

    async def _heal(self) -> None:
        pause = _SHORTEST
        while True:
            await self.close()
            try:
                await self.open()
            except (Unreachable, psycopg.OperationalError):
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST)
            else:
                return log.info("database notifications received again")


def _read(payloads: Sequence[str]) -> frozenset[Change]:
    words = {word for payload in payloads for word in payload.split() or [""]}
    return frozenset(map(Change, words)) if words <= set(Change) else _ANYTHING
