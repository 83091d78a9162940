"""A lock between processes, which the system releases when its process dies."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

_TICK = 0.2


@asynccontextmanager
async def locked(file: Path, waiting: Callable[[], None]) -> AsyncIterator[None]:
    """Hold the file's lock; `waiting` is called once if another process (or task) holds it.

    Only its owner may read the file: whoever can read it can hold its lock and block us for as long as they like.
    """
    with file.open("w") as handle:
        if os.fstat(handle.fileno()).st_uid == os.geteuid():
            os.fchmod(handle.fileno(), 0o600)
        told = False
        while not _take(handle.fileno()):
            if not told:
                waiting()
                told = True
            await asyncio.sleep(_TICK)
        yield  # closing the file releases the lock


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
