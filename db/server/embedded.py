"""PostgreSQL from a Python wheel: started in a directory, shared by processes, stopped by the last that leaves.

Every process that uses the server also watches it: when it ends unintended, the first process to notice starts it
again, and the others find it running.

Users are counted with file locks, not with a list of process ids: the kernel releases a lock however a process dies.
After a kill -9 of all processes the server runs on; the next process finds it, and stops it in the end.
"""

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from bot.domain.errors import UsageError
from db.server.cluster import Cluster, answers, listens, make, prepared, start, stop
from db.server.orphans import death_of, postmaster

T = TypeVar("T")

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_LONGEST_PAUSE = 5.0
"""The longest pause between two starts, in seconds: whatever keeps it from starting may be over at any moment."""
_STEADY_SECONDS = 5.0


@asynccontextmanager
async def embedded(directory: Path) -> AsyncIterator[str]:
    """`serving`, for an event loop, and watched. Cancelled while it starts, it leaves no server behind either."""
    policy = asyncio.create_task(asyncio.to_thread(_Server.join, directory), name="start postgres")
    watching: asyncio.Task[None] | None = None
    try:
        server = await asyncio.shield(policy)
        watching = asyncio.create_task(_watch(server), name="watch postgres")
        yield server.url
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.wait({watching})
        server = await _undisturbed(policy)
        leaving = asyncio.create_task(asyncio.to_thread(server.leave), name="leave postgres")
        await _undisturbed(leaving)


async def _watch(server: "_Server") -> None:
    """Until cancelled, restart the server when it ends, waiting longer each time it does not last."""
    pause: float | None = None
    while True:
        up_since = time.monotonic()
        await _until_gone(server)
        pause = pause_before_restart(pause, time.monotonic() - up_since)
        level = logging.ERROR if pause < _LONGEST_PAUSE else logging.INFO  # by then it was said several times
        about = {"directory": server.directory}
        log.log(level, "database server gone, restarting", extra={**about, "pause": pause})
        await asyncio.sleep(pause)
        try:
            ours = await asyncio.to_thread(server.revive)
        except (UsageError, OSError) as error:
            # It may recover for longer than we wait, or its disk may be full
            log.log(level, "database server not restarted", extra={**about, "problem": str(error)})
        else:
            log.warning("database server runs again", extra={**about, "by_us": ours})


def pause_before_restart(previous: float | None, lasted: float) -> float:
    """Seconds to wait before a server is started again that has ended after `lasted` seconds.

    `previous`: the pause before its last start; None: that was the first. A server that lasted for five seconds is
    started at once, however often it ends; one that does not last, or does not start, after a pause that doubles.
    """
    if previous is None or lasted >= _STEADY_SECONDS:
        return 0.0
    return min(max(_LOOK_SECONDS, 2 * previous), _LONGEST_PAUSE)


async def _until_gone(server: "_Server") -> None:
    """Until no server listens: noticed when its first process ends, and where that cannot be seen within half a
    second."""
    while await asyncio.to_thread(server.listens):
        await death_of(server.postmaster(), _LOOK_SECONDS)


async def _undisturbed(work: asyncio.Task[T]) -> T:
    """The work's result, however often we are cancelled meanwhile.

    A cancelled `to_thread` that no thread has started yet never runs: the server would outlive us.
    """
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(work)
    return work.result()


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """The URL of the server whose data lies in the directory; created and started if needed.

    Raises UsageError with one sentence that says what is in the way.
    """
    server = _Server.join(directory)
    try:
        yield server.url
    finally:
        server.leave()


class _Server:
    """One process's share in a running server."""

    def __init__(self, cluster: Cluster, share: IO[str]) -> None:
        self._cluster = cluster
        self._share = share
        self.url = cluster.url
        self.directory = str(cluster.directory)

    @classmethod
    def join(cls, directory: Path) -> "_Server":
        cluster = prepared(directory)
        with _turn(cluster):
            share = _opened(cluster.directory / "users.lock")
            fcntl.flock(share, fcntl.LOCK_SH)
            try:
                make(cluster)
                start(cluster)
            except BaseException:
                share.close()
                raise
        return cls(cluster, share)

    def listens(self) -> bool:
        """Whether there is a server at its socket; one that is recovering or busy counts."""
        return listens(self._cluster)

    def postmaster(self) -> int | None:
        """The number of the server's first process; None: no server has left one."""
        return postmaster(self._cluster.data)

    def revive(self) -> bool:
        """Start the server unless it runs; return whether we started it. Raises UsageError.

        Nobody stops it on purpose while we hold our share of it, and others who revive it wait for our turn to end.
        """
        with _turn(self._cluster):
            if answers(self._cluster):
                return False
            start(self._cluster)
            return True

    def leave(self) -> None:
        """Give up our share of the server; stop it when no other process has one. A second call changes nothing."""
        if self._share.closed:
            return
        with _turn(self._cluster), self._share:
            try:
                fcntl.flock(self._share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info(
                    "database server left running: other processes use it",
                    extra={"directory": str(self._cluster.directory)},
                )
                return
            stop(self._cluster)


@contextmanager
def _turn(cluster: Cluster) -> Iterator[None]:
    """Hold the turn: nobody else starts or stops the server meanwhile."""
    with _opened(cluster.directory / "turn.lock") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _opened(lock: Path) -> IO[str]:
    """Open a lock file for our user alone: whoever can read it can hold its lock and block us for as long as they
    like."""
    file = lock.open("a")
    if os.fstat(file.fileno()).st_uid == os.geteuid():
        os.fchmod(file.fileno(), 0o600)
    return file
