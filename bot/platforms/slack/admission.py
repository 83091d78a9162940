"""Limits the requests in progress: a few at a time, in order, and none that would wait longer than its sender does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.domain.errors import Unreachable


class Admission:
    """Admits requests without knowing what they contain."""

    def __init__(self, at_once: int, most_waiting: int, longest_wait: float) -> None:
        """`longest_wait` is in seconds."""
        self._places = asyncio.Semaphore(at_once)
        self._most_waiting = most_waiting
        self._longest_wait = longest_wait
        self._waiting = 0

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Hold one place while the context lasts. Raises Unreachable when too many wait, or the wait is too long."""
        if self._waiting >= self._most_waiting:
            raise Unreachable("platforms.slack: too much comes in at once")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._longest_wait):
                await self._places.acquire()
        except TimeoutError as error:
            raise Unreachable("platforms.slack: too much waits to come in") from error
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()
