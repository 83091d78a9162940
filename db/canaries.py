"""The canary of a task: which adapter is on trial, how it and the champion did, and how the trial ends."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.automatic_rollback import SETTLED
from bot.domain.canary import Canaries, Canary, End, Record
from bot.domain.ledger import Change
from bot.domain.model_ports import Registry
from bot.domain.posts import Post
from db.conversations.live_corrections import corrections
from db.conversations.pointer import GATE, check_may_serve, known_adapter, move
from db.engine import Database, announce
from db.posts.enqueue import enqueue
from db.reading.canary import on_trial
from db.reading.serving import lock_registry


class PostgresCanaries:
    """The `canary.Canaries` port in PostgreSQL."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

    async def canary(self, task: str, base: str) -> Canary | None:
        async with self._database.transaction() as session:
            row = await on_trial(session, task)
            if row is None:
                return None
            known = row.id, row.adapter, row.champion, row.share, row.started_at
        id, name, champion, share, started = known
        made = [one for one in await self._registry.adapters(task) if one.name == name and one.base == base]
        return Canary(id, task, made[0], champion, share, started) if made else None

    async def record(self, canary: Canary, now: datetime) -> Record:
        since, until = canary.started, now - SETTLED
        async with self._database.transaction() as session:
            mine = await corrections(session, canary.task, canary.adapter.name, since, until)
            return Record(mine, await corrections(session, canary.task, canary.champion, since, until))

    async def end(self, canary: Canary, how: End, reason: str, posts: Sequence[Post], now: datetime) -> bool:
        async with self._database.transaction() as session:
            await lock_registry(session, canary.task)
            row = await on_trial(session, canary.task)
            if row is None or row.id != canary.id:
                return False
            row.ended_at, row.how, row.reason = now, how.value, reason
            await session.flush()
            if how is End.PROMOTED:
                adapter = await known_adapter(session, canary.task, canary.adapter.name)
                check_may_serve(adapter, canary.adapter.base, now)
                await move(session, canary.task, canary.adapter.name, GATE, reason, now)
            await enqueue(session, None, posts, now)
            await announce(session, Change.OWED, Change.MODEL)
            return True


_: type[Canaries] = PostgresCanaries
