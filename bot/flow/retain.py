"""Removes what is kept no longer, a batch at a time: killed at any moment, it goes on where it stopped."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain.retention import Retained, Retention

log = logging.getLogger(__name__)

_BREATH = 0.05
"""Seconds between batches, so that other writers come first."""


@dataclass(frozen=True, slots=True)
class Retainer:
    """Removes what is due, every hour or so and by command."""

    name: ClassVar[str] = "retain"
    retention: Retention
    kept: Retained
    files: Retained
    now: Callable[[], datetime]

    async def count(self) -> dict[str, int]:
        """Kind -> how much would be removed now."""
        due = self.retention.due(self.now())
        return {kind: await self._of(kind).count(kind, before) for kind, before in due.items()}

    async def remove(self) -> dict[str, int]:
        """Remove what is due. Kind -> how much was removed."""
        gone: dict[str, int] = {}
        for kind, before in self.retention.due(self.now()).items():
            gone[kind] = await self._all(kind, before)
        return gone

    async def step(self) -> int:
        """Look once. Always returns 0: only the clock tells what is due next."""
        gone = {kind: count for kind, count in (await self.remove()).items() if count}
        if gone:
            log.info("kept no longer", extra=gone)
        return 0

    async def _all(self, kind: str, before: datetime) -> int:
        total = 0
        while batch := await self._of(kind).remove(kind, before, self.now()):
            total += batch
            await asyncio.sleep(_BREATH)
        return total

    def _of(self, kind: str) -> Retained:
        return self.files if kind in ("runs", "logs") else self.kept
