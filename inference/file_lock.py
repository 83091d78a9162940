"""A lock between processes, which the system takes back from a process that died."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

_TICK = 0.2


@asynccontextmanager
async def locked(file: Path, waiting: Callable[[], None]) -> AsyncIterator[None]:
    """Hold the file's lock; `waiting` is called, once, when another process (or task) has it.

    The file is its owner's alone: whoever can read it can hold its lock, and keep us out for as long as they like.
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
