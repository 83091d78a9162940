"""Whether every kind of connection works that a run opens: a pooler or server may allow one and refuse another."""

import asyncio
from collections.abc import AsyncIterator

from sqlalchemy import text

from bot.domain.errors import Unreachable
from db.engine import CHANNEL, Database
from db.server.notifications import listen

_OFTEN = 8
"""How often a statement is repeated: more often than the driver runs it before preparing it."""
_HEARING_SECONDS = 10.0


async def probed(database: Database) -> AsyncIterator[str]:
    """What works, in words, one after the other. Raises Unreachable or Refused for what does not work."""
    async with database.transaction() as session:
        version = await session.scalar(text("SELECT current_setting('server_version')"))
    for _ in range(_OFTEN):
        async with database.transaction() as session:
            await session.execute(text("SELECT count(*) FROM conversations WHERE id = :id"), {"id": 0})
    yield f"{database.place} answers (PostgreSQL {version})"
    if await database.pooled():
        yield "a pooler is in front: what changed is looked for twice a second"
    else:
        await _hear(database)
        yield "what changed is heard at once"
    async with database.locked("switchboard check", wait=True):
        yield "one process at a time can learn"


async def _hear(database: Database) -> None:
    try:
        async with listen(database) as changes, asyncio.timeout(_HEARING_SECONDS):
            async with database.transaction() as session:
                await session.execute(text(f"NOTIFY {CHANNEL}, ''"))
            await anext(changes)
    except TimeoutError:
        raise Unreachable(
            f"database {database.place}: what changes cannot be heard; if a pooler is in front, "
            "add ?prepare_threshold=0 to database.url, and it is looked for"
        ) from None
