"""Lets what is sent to a chat go on together, but nothing be sent while a post is looked for there."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Gate:
    """One process's access to its chats, each by itself."""

    def __init__(self) -> None:
        self._sending = Counter[str]()
        self._looking: set[str] = set()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def sending(self, chat: str) -> AsyncIterator[None]:
        """Wait until nobody looks for a post in that chat; nobody begins to before the exit."""
        await self._until(lambda: chat not in self._looking)
        self._sending[chat] += 1
        try:
            yield
        finally:
            self._sending[chat] -= 1
            self._sending += Counter()  # drops the chats that nothing is sent to
            self._tell()

    @asynccontextmanager
    async def looking(self, chat: str) -> AsyncIterator[None]:
        """Wait until nothing is being sent to that chat and nobody looks there; nothing is sent before the exit."""
        await self._until(lambda: chat not in self._looking)
        self._looking.add(chat)
        try:
            await self._until(lambda: not self._sending[chat])
            yield
        finally:
            self._looking.discard(chat)
            self._tell()

    async def _until(self, so: Callable[[], bool]) -> None:
        while not so():
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
