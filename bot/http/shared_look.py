"""One answer for all who ask at the same moment: a thousand who look cost as much as one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class SharedLook(Generic[T]):
    """Looks once for everybody who asks while it looks, and for those who ask soon after."""

    look: Callable[[], Awaitable[T]]
    fresh_for: float
    """Seconds."""
    _looking: asyncio.Task[T] | None = field(default=None, init=False)
    _stale_at: float = field(default=0.0, init=False)

    async def __call__(self) -> T:
        """What was found, at most so old. A look that failed is nobody's answer but those's who waited for it."""
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
