"""PostgreSQL out of a Python wheel: started in a directory, shared by processes, stopped by the last that leaves.

Who uses it is counted with file locks, not with a list of process ids: the kernel lets go of a lock however a process
dies. After a kill -9 of everybody the server runs on; the next process finds it there, and stops it in the end.
"""

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from db.server.cluster import Cluster, make, prepared, start, stop

T = TypeVar("T")

log = logging.getLogger(__name__)


@asynccontextmanager
async def embedded(directory: Path) -> AsyncIterator[str]:
    """`serving`, for an event loop. Cancelled while it starts, it leaves no server behind either."""
    policy = asyncio.create_task(asyncio.to_thread(_Server.join, directory), name="start postgres")
    try:
        yield (await asyncio.shield(policy)).url
    finally:
        server = await _undisturbed(policy)
        leaving = asyncio.create_task(asyncio.to_thread(server.leave), name="leave postgres")
        await _undisturbed(leaving)


async def _undisturbed(work: asyncio.Task[T]) -> T:
    """The work's result, however often we are cancelled meanwhile.

    A cancelled `to_thread` that no thread has taken up yet never runs: the server would outlive us.
    """
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(work)
    return work.result()


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """The URL of the server whose data lies in the directory; made and started when need be.

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

    def leave(self) -> None:
        """Let go of the server; stop it when nobody else holds it. Leaving again changes nothing."""
        if self._share.closed:
            return
        with _turn(self._cluster), self._share:
            try:
                fcntl.flock(self._share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("others still use the database", extra={"directory": str(self._cluster.directory)})
                return
            stop(self._cluster)


@contextmanager
def _turn(cluster: Cluster) -> Iterator[None]:
    """While it lasts nobody else starts or stops the server."""
    with _opened(cluster.directory / "turn.lock") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _opened(lock: Path) -> IO[str]:
    return lock.open("a")
