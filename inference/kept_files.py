"""Files that grow: folders of adapters that never served, and logs."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from bot.domain.errors import Refused
from bot.domain.retention import Retained
from inference.run_folder import LOG


class KeptFiles:
    """The files below `model.runs` and beside it on this machine."""

    def __init__(self, runs: Path, never_served: Callable[[datetime], Awaitable[Sequence[str]]]) -> None:
        """`never_served` returns the names of adapters made before a moment that nobody will go back to."""
        self._runs = runs
        self._never_served = never_served

    async def count(self, kind: str, before: datetime) -> int:
        return len(await self._due(kind, before))

    async def remove(self, kind: str, before: datetime, now: datetime) -> int:
        """See `Retained`. Raises Refused, which names what cannot be removed."""
        due = await self._due(kind, before)
        await asyncio.to_thread(_remove, due)
        return len(due)

    async def _due(self, kind: str, before: datetime) -> list[Path]:
        if kind == "runs":
            folders = [self._runs / name for name in await self._never_served(before)]
            return [folder for folder in folders if folder.is_dir()]
        return await asyncio.to_thread(self._old_logs, before)

    def _old_logs(self, before: datetime) -> list[Path]:
        found = [*self._runs.glob(f"*/{LOG}"), *self._runs.parent.glob("*.log.[0-9]*")]
        return [path for path in found if path.is_file() and path.stat().st_mtime < before.timestamp()]


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise Refused(f"{path} cannot be removed: {error.strerror}") from error


_: type[Retained] = KeptFiles
