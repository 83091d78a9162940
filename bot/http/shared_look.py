"""One result for all callers at the same moment: a thousand cost as much as one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class SharedLook(Generic[T]):
    """Runs `look` once for all who call while it runs, and for those who call soon after."""

    look: Callable[[], Awaitable[T]]
    fresh_for: float
    """Seconds for which a result is returned again."""
    _looking: asyncio.Task[T] | None = field(default=None, init=False)
    _stale_at: float = field(default=0.0, init=False)

    async def __call__(self) -> T:
        """A result that is at most `fresh_for` old. A failure is raised only to the callers who waited for it."""
        looking = self._looking
        if looking is None or (looking.done() and self._over(looking)):
            looking = self._looking = asyncio.create_task(self._looked(), name="look")
        return await asyncio.shield(looking)

    def _over(self, looked: asyncio.Task[T]) -> bool:
        failed = looked.cancelled() or looked.exception() is not None
        return failed or asyncio.get_running_loop().time() >= self._stale_at

    async def _looked(self) -> T:
        found = await self.look()
        self._stale_at = asyncio.get_running_loop().time() + self.fresh_for
        return found
