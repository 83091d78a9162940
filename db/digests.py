"""The digests owed to leads, each stored once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from bot.domain.digest import Digests
from bot.domain.ledger import Change
from bot.domain.posts import Post
from db.engine import Database, announce
from db.posts.enqueue import enqueue
from db.tables import DigestRow


class PostgresDigests:
    """Digests in PostgreSQL: the process that stores the row first adds the posts to the outbox in the same
    transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def owe_digest(self, task: str, tick: str, posts: Sequence[Post], now: datetime) -> bool:
        row = insert(DigestRow).values(task=task, tick=tick, at=now).on_conflict_do_nothing()
        async with self._database.transaction() as session:
            if (await session.execute(row.returning(DigestRow.tick))).first() is None:
                return False
            await enqueue(session, None, posts, now)
            await announce(session, Change.OWED)
        return True


_: type[Digests] = PostgresDigests
