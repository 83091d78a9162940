"""Bytes that a closed conversation takes for ever, as it is closed and as retention leaves it; aim, at most 3 kB.

    python -m benchmarks.closed_bytes --conversations 5000

Two messages, a card that was reworded twice, an answer and two follow-ups, two reactions, a decision and a vector each:
the conversations of `benchmarks/million.py`, with what those leave out. Tables and their indexes are rewritten in full
before each measurement. Also measured: how many conversations a second retention processes.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from benchmarks.machine import Figures, machine, show
from benchmarks.million import _fill
from bot.app import demo_settings
from bot.domain.retention import Retention
from bot.flow.retain import Retainer
from bot.store import Store, open_store
from db.retention import PostgresRetention
from inference.kept_files import KeptFiles

_TABLES = ("conversations", "messages", "posts", "reactions", "decisions", "notes", "presses")
_MORE = (
    """UPDATE conversations SET text = 'I was charged twice and would like to have it back', embedder = 'tiny',
       closed_at = now() - interval '400 days',
       vector = (SELECT array_agg(random() - 0.5 + g * 0) FROM generate_series(id, id + 383) g)::vector""",
    """UPDATE posts SET kind = 'Card', content = jsonb_build_object('conversation', conversation_id, 'label', 'it',
       'excerpt', repeat('I was charged twice and would like to have it back ', 3), 'author', 'Person', 'by', 'model',
       'reason', 'confident', 'confidence', 0.93, 'adapter', 'routing-1', 'legend', '[["moneybag", "billing"],
       ["computer", "it"], ["key", "access"], ["package", "delivery"], ["gift", "sales"]]'::jsonb,
       'source', '{"platform": "slack", "chat": "C1", "id": "1764000000.000100"}'::jsonb,
       'voices', '[["adapter", "it", 0.93, 0.4], ["words", "it", 0.88, 0.3], ["vectors", "it", 0.9, 0.3]]'::jsonb)
       WHERE receipt_id LIKE '%-2'""",
    """INSERT INTO posts (conversation_id, platform, chat, kind, content, edits, owed_at, not_before, attempts, said_at)
       SELECT conversation_id, platform, chat, kind, content, id, said_at, said_at, 1, said_at
       FROM posts, generate_series(1, 2) WHERE kind = 'Card' AND said_at IS NOT NULL""",
    "UPDATE posts SET said_at = owed_at - interval '400 days' WHERE said_at IS NOT NULL",
)
_DAY = timedelta(days=1)
_NEVER = timedelta(0)


async def measured(conversations: int) -> dict[str, Figures]:
    """Bytes for each conversation, step by step."""
    with tempfile.TemporaryDirectory(prefix="switchboard-bytes-") as home:
        settings = demo_settings(Path(home))
        async with open_store(settings) as store:
            await _fill(store, conversations)
            async with store.database.transaction() as session:
                await session.execute(text("SET LOCAL statement_timeout = 0"))
                for statement in _MORE:
                    await session.execute(text(statement))
            found = {"as it was closed": await _bytes(store, conversations)}
            for name, kept in (
                ("as settings are by default", Retention(runs=_NEVER, logs=_NEVER)),
                ("without words, too", Retention(words=_DAY, runs=_NEVER, logs=_NEVER)),
            ):
                began = time.perf_counter()
                files = KeptFiles(settings.model.runs, PostgresRetention(store.database).never_served)
                await Retainer(kept, PostgresRetention(store.database), files, lambda: datetime.now(UTC)).remove()
                took = time.perf_counter() - began
                found[name] = {**await _bytes(store, conversations), "a second": round(conversations / took)}
            return found


async def _bytes(store: Store, conversations: int) -> Figures:
    connection = await store.database.dedicated()
    async with connection:
        await connection.execute("SET statement_timeout = 0")
        for table in _TABLES:
            await connection.execute(f"VACUUM FULL {table}".encode())
        sizes = {}
        for table in _TABLES:
            row = await (await connection.execute("SELECT pg_total_relation_size(%s)", [table])).fetchone()
            sizes[table] = 0 if row is None else round(int(row[0]) / conversations)
    return {"in all": sum(sizes.values()), **{name: size for name, size in sizes.items() if size}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--conversations", type=int, default=5_000)
    args = parser.parse_args(arguments)
    on = machine()
    show("bytes of a closed conversation", asyncio.run(measured(args.conversations)), on)


if __name__ == "__main__":
    main()
