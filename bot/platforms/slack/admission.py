"""Who may come in now: a few at a time, in their order, and nobody who would wait for longer than Slack does.

A thousand requests that are worked on at once all end at once, too late. One after the other, those that came first are
answered in time, and who cannot be is sent away while that costs nothing yet: Slack brings it again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.domain.errors import Unreachable

_AT_ONCE = 128
"""Requests worked on at a time: two full batches of the ledger."""
_MOST_WAITING = 2_048
_LONGEST_WAIT = 2.0
"""Seconds of the three that Slack gives us; storing what was let in needs the rest."""


class Admission:
    """The door; it knows nothing of what passes through it."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """While it lasts one is inside. Raises Unreachable when too many wait, or it takes too long."""
        if self._waiting >= _MOST_WAITING:
            raise Unreachable("platforms.slack: too much comes in at once")
        self._waiting += 1
        try:
            async with asyncio.timeout(_LONGEST_WAIT):
                await self._places.acquire()
        except TimeoutError as error:
            raise Unreachable("platforms.slack: too much waits to come in") from error
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()
