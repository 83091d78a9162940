"""Which processes live: a dead one's claims are free again within seconds; a living one's never are.

Each process holds an advisory lock under a number of its own for as long as it lives; PostgreSQL releases it the moment
its connection ends, however the process died. Every claim bears the number of its process.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.errors import SwitchboardError, Unreachable
from bot.domain.ledger import Change
from db.engine import Database, announce
from db.tables import ConversationRow, PostRow, ProcessRow

log = logging.getLogger(__name__)

_LOOK_EVERY = 1.0
"""Seconds between looks at whether the others live, and whether our own lock is still held."""
_AGAIN_AFTER = 0.5
MISSING_FOR = 5.0
"""Seconds for which a lock must be free: a living process that lost its connection has the lock again by then."""


class PostgresProcesses:
    """This process among those that work on one database."""

    def __init__(self, database: Database, now: Callable[[], datetime], missing_for: float = MISSING_FOR) -> None:
        self._database = database
        self._now = now
        self._missing_for = missing_for
        self._id = secrets.randbits(62)
        self._missing: dict[int, float] = {}
        """Processes whose lock is free, and since when we have known."""

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Hold this process's lock and free what dead processes claimed. Every claim of ours must have ended before the
        exit."""
        tasks = [
            asyncio.create_task(work(), name=name)
            for name, work in (("live", self._live), ("look after the dead", self._watch))
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            with suppress(SwitchboardError):  # then another process finds it dead
                await self._leave()

    async def free_dead(self) -> int:
        """Free what dead processes had claimed; return how many processes that were. Raises Unreachable."""
        async with self._database.transaction() as session:
            others = (await session.scalars(select(ProcessRow.number).where(ProcessRow.number != self._id))).all()
        found = [one for one in others if await self._is_dead(one)]
        return len(found)

    async def _is_dead(self, process: int) -> bool:
        """Whether the process has been dead for long enough; if so, free its work and delete its row."""
        async with self._database.transaction() as session:
            if not await session.scalar(select(func.pg_try_advisory_xact_lock(process))):
                self._missing.pop(process, None)
                return False
            clock = asyncio.get_running_loop().time()
            if clock - self._missing.setdefault(process, clock) < self._missing_for:
                return False
            conversations, posts = await _free(session, process, self._now())
        del self._missing[process]
        about = {"number": process, "conversations": conversations, "posts": posts}
        log.warning("process died, its work is free again", extra=about)
        return True

    async def _leave(self) -> None:
        async with self._database.transaction() as session:
            await _free(session, self._id, self._now())

    async def _live(self) -> None:
        while True:
            try:
                await self._database.keep_lock(self._id, _LOOK_EVERY, self._enrol)
            except Exception as error:  # noqa: BLE001 - who stops trying would be taken for dead
                if self._database.known_as is not None:  # once for each outage
                    log.warning("process lock lost, taking it again", extra={"problem": _named(error)})
            finally:
                self._database.known_as = None  # a claim that is made meanwhile expires by itself
            await asyncio.sleep(_AGAIN_AFTER)

    async def _enrol(self) -> None:
        known = insert(ProcessRow).values(number=self._id, since=self._now()).on_conflict_do_nothing()
        async with self._database.transaction() as session:
            await session.execute(known)
        self._database.known_as = self._id

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                await self.free_dead()
            except Unreachable:
                continue  # `_live` has logged it
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look may find them
                log.warning("dead processes not looked for", extra={"problem": _named(error)})


def _named(error: Exception) -> str:
    return str(error) if isinstance(error, SwitchboardError) else type(error).__name__


async def _free(session: AsyncSession, process: int, now: datetime) -> tuple[int, int]:
    """Free what the process had claimed and delete its row; return how many conversations and how many posts.

    A post's claim only ends: it stays visible that the post was on its way and may have been said.
    """
    talk, post = ConversationRow, PostRow
    held = update(talk).where(talk.claimed_by == process, talk.leased_until > now).values(leased_until=None)
    pending = post.said_at.is_(None), post.given_up_at.is_(None), post.leased_until > now
    sent = update(post).where(post.claimed_by == process, *pending).values(leased_until=now)
    freed = [
        len((await session.execute(one.execution_options(synchronize_session=False))).all())
        for one in (held.returning(talk.id), sent.returning(post.id))
    ]
    await session.execute(delete(ProcessRow).where(ProcessRow.number == process))
    if any(freed):
        await announce(session, Change.FREED, Change.OWED, Change.MESSAGE, Change.PRESS, Change.REACTION, Change.NOTE)
    return freed[0], freed[1]
