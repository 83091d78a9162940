"""Limits the requests in progress: a few at a time, in order, and none that would wait longer than Slack does.

A thousand requests worked on at once would all end at once, too late. In order, the first ones are answered in time,
and those that cannot be are turned away while that is still cheap: Slack sends them again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.domain.errors import Unreachable

_AT_ONCE = 128
"""Requests in progress at a time: two full batches of the ledger."""
_MOST_WAITING = 2_048
_LONGEST_WAIT = 2.0
"""Seconds to wait for admission, of the three that Slack allows; storing what was admitted needs the rest."""


class Admission:
    """Admits requests without knowing what they contain."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Hold one place while the context lasts. Raises Unreachable when too many wait, or the wait is too long."""
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
