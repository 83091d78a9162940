"""Removing what is no longer needed: in small batches, each a transaction, found by an index that shrinks with them."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.retention import Retained
from db.engine import Database

BATCH = 500
_CLOSED = "state = 'closed' AND closed_at < :before AND (leased_until IS NULL OR leased_until < :now)"
_IDS = {
    "vectors": f"SELECT id FROM conversations WHERE {_CLOSED} AND vector IS NOT NULL",  # noqa: S608  no words of people
    "words": f"""
        SELECT id FROM conversations c WHERE {_CLOSED} AND emptied_at IS NULL
        AND NOT EXISTS (SELECT FROM posts p WHERE p.conversation_id = c.id AND said_at IS NULL AND given_up_at IS NULL)
        AND NOT EXISTS (SELECT FROM failed_items f WHERE f.conversation_id = c.id AND dropped_at IS NULL)
    """,  # noqa: S608
    # Only where no wording of that post still waits to be said, and its last wording is not recent or on its way
    "rewordings": """
        SELECT o.id FROM posts o JOIN conversations c ON c.id = o.conversation_id AND c.state = 'closed'
        WHERE o.id IN (
            SELECT edits FROM posts WHERE edits IS NOT NULL AND said_at IS NOT NULL AND said_at < :before
        ) AND NOT EXISTS (
            SELECT FROM posts w WHERE w.edits = o.id AND (w.said_at IS NULL OR w.said_at >= :before)
            AND w.given_up_at IS NULL
        )
    """,
    "examples": """
        SELECT id FROM examples WHERE conversation_id IS NOT NULL AND recorded_at < :before AND text <> ''
    """,
}


class PostgresRetention:
    """The rows of the database that retention removes or empties."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, kind: str, before: datetime) -> int:
        asked = text(f"SELECT count(*) FROM ({_IDS[kind]}) AS due")  # noqa: S608
        async with self._database.transaction() as session:
            await session.execute(text("SET LOCAL statement_timeout = '60s'"))
            times = {"before": before, "now": before}
            return int((await session.execute(asked, _needed(kind, times))).scalar_one())

    async def remove(self, kind: str, before: datetime, now: datetime) -> int:
        async with self._database.transaction() as session:
            found = text(f"{_IDS[kind]} LIMIT {BATCH}{_LOCKED[kind]}")
            ids = list(await session.scalars(found, _needed(kind, {"before": before, "now": now})))
            if ids:
                await _REMOVED[kind](session, ids, now)
            return len(ids)

    async def never_served(self, before: datetime) -> list[str]:
        """Adapters made before then that never served, not even a share, where the task has newer ones."""
        async with self._database.transaction() as session:
            return list(await session.scalars(text(_NEVER_SERVED), {"before": before}))


_NEVER_SERVED = """
    SELECT name FROM adapters a WHERE made_at < :before
    AND NOT EXISTS (SELECT FROM promotions p WHERE (p.task, p.adapter) = (a.task, a.name))
    AND NOT EXISTS (SELECT FROM canaries c WHERE (c.task, c.adapter) = (a.task, a.name) AND c.ended_at IS NULL)
    AND EXISTS (SELECT FROM adapters newer WHERE newer.task = a.task AND newer.made_at > a.made_at)
"""
_LOCKED = {
    "vectors": " FOR UPDATE SKIP LOCKED",
    "words": " FOR UPDATE OF c SKIP LOCKED",
    "rewordings": " FOR UPDATE OF o SKIP LOCKED",
    "examples": " FOR UPDATE SKIP LOCKED",
}
"""Rows that are locked are left for the next time."""


def _needed(kind: str, times: Mapping[str, datetime]) -> dict[str, datetime]:
    return {name: at for name, at in times.items() if f":{name}" in _IDS[kind]}


async def _vectors(session: AsyncSession, ids: list[int], _: datetime) -> None:
    emptied = "UPDATE conversations SET vector = NULL, embedder = NULL WHERE id = ANY(:ids)"
    await session.execute(text(emptied), {"ids": ids})


async def _rewordings(session: AsyncSession, ids: list[int], _: datetime) -> None:
    """Make the last wording the post's own, so that the post reads the same as before, and delete the rewordings."""
    last = """
        UPDATE posts o SET content = w.content, kind = w.kind
        FROM (SELECT DISTINCT ON (edits) edits, content, kind FROM posts
              WHERE edits = ANY(:ids) AND given_up_at IS NULL ORDER BY edits, id DESC) w
        WHERE w.edits = o.id
    """
    await session.execute(text(last), {"ids": ids})
    for statement in _EARLIER:
        await session.execute(text(statement), {"ids": ids})


_EARLIER = (
    # A reference to a wording means the post that stands in the chat
    *(
        f"UPDATE {table} r SET {column} = p.edits FROM posts p WHERE p.edits = ANY(:ids) AND r.{column} = p.id"  # noqa: S608
        for table, column in (("messages", "carried_by"), ("notes", "carried_by"), ("posts", "under"))
    ),
    "DELETE FROM posts WHERE edits = ANY(:ids)",
)
_GOING = "SELECT id FROM posts WHERE conversation_id = ANY(:ids) AND NOT (kind = 'Card' AND edits IS NULL)"
"""The posts to delete. A card stays, without words: what is written under it is its team's for ever."""
_WORDS = (
    # Reactions and presses on posts and cards of these conversations: the rulings themselves are in `corrections`
    *(
        f"""DELETE FROM {acts} a USING posts p WHERE p.conversation_id = ANY(:ids) AND a.platform = p.platform
            AND a.chat = p.receipt_chat AND a.message_id = p.receipt_id AND a.concluded_at IS NOT NULL
            AND NOT (p.kind = 'Card' AND p.edits IS NULL)"""  # noqa: S608
        for acts in ("reactions", "presses")
    ),
    """DELETE FROM message_parts m USING posts p WHERE p.conversation_id = ANY(:ids) AND m.platform = p.platform
       AND m.chat = p.receipt_chat AND m.whole_id = p.receipt_id""",
    # Other conversations may refer to these posts: one that was split off, to the posts for messages it took along
    *(
        f"UPDATE {table} SET {column} = NULL WHERE {column} IN ({_GOING})"  # noqa: S608
        for table, column in (("messages", "carried_by"), ("notes", "carried_by"), ("posts", "under"))
    ),
    "DELETE FROM messages WHERE conversation_id = ANY(:ids)",
    "DELETE FROM notes WHERE conversation_id = ANY(:ids)",
    f"DELETE FROM posts WHERE edits IN ({_GOING})",  # noqa: S608
    f"DELETE FROM posts WHERE id IN ({_GOING})",  # noqa: S608
    """UPDATE posts SET under = NULL, only_for = NULL, content = content || '{"excerpt": "", "author": "",
       "history": [], "media": [], "remembered": [], "taken_by": "", "deleted": true}'
       WHERE conversation_id = ANY(:ids)""",
    """UPDATE conversations SET text = NULL, vector = NULL, embedder = NULL, person_name = '', taken_name = NULL,
       emptied_at = :now, left_at = coalesce(left_at, :now) WHERE id = ANY(:ids)""",
)


async def _words(session: AsyncSession, ids: list[int], now: datetime) -> None:
    for statement in _WORDS:
        named = {"ids": ids, "now": now} if ":now" in statement else {"ids": ids}
        await session.execute(text(statement), named)


async def _examples(session: AsyncSession, ids: list[int], now: datetime) -> None:
    """Empty examples as erasure does: they teach nothing any more, and no words are left in them."""
    emptied = """
        UPDATE examples SET text = '', text_key = '', vector = NULL, embedder = NULL,
        withdrawn_at = coalesce(withdrawn_at, :now) WHERE id = ANY(:ids)
    """
    await session.execute(text(emptied), {"ids": ids, "now": now})


_REMOVED: Mapping[str, Callable[[AsyncSession, list[int], datetime], Awaitable[None]]] = {
    "vectors": _vectors,
    "rewordings": _rewordings,
    "words": _words,
    "examples": _examples,
}

_: type[Retained] = PostgresRetention
