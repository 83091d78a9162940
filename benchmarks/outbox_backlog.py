"""What it costs to find the next posts to say while many wait for one chat: ratios within one run.

    python -m benchmarks.outbox_backlog
    python -m benchmarks.outbox_backlog --posts 1000 10000 30000

Beside the claim as it is, the same with the line compared by IS NOT DISTINCT FROM, which no index can answer; it is
left out above --most-before posts, where it takes minutes.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Select, exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.messages import Place
from bot.domain.posts import Post, WordsPlease
from db.engine import Database, open_database
from db.migrate import upgrade
from db.outbox import PostgresOutbox, due
from db.server.embedded import serving
from db.tables import PostRow

_ROUNDS, _AT_ONCE = 9, 32
_NOW = datetime(2026, 11, 28, tzinfo=UTC)


def _before() -> Select[int]:
    """The claim as it was before: with a join that no index serves."""
    earlier = aliased(PostRow)
    pending = PostRow.said_at.is_(None), PostRow.given_up_at.is_(None)
    another = exists().where(
        earlier.conversation_id.is_not_distinct_from(PostRow.conversation_id),
        earlier.platform == PostRow.platform,
        earlier.chat == PostRow.chat,
        earlier.id < PostRow.id,
        earlier.said_at.is_(None),
        earlier.given_up_at.is_(None),
    )
    return select(PostRow.id).where(*pending, PostRow.not_before <= _NOW, ~another).order_by(PostRow.id)


async def _median_ms(
    session: AsyncSession, statement: Select[int], rounds: int, told: Mapping[str, object] | None = None
) -> float:
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        (await session.execute(statement.limit(_AT_ONCE), told)).all()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def _measure(database: Database, sizes: Sequence[int], most_before: int) -> None:
    outbox, waiting, base = PostgresOutbox(database), 0, 0.0
    for size in sizes:
        await outbox.add([Post(Place("slack", "C-BUSY"), WordsPlease("en"))] * (size - waiting), _NOW)
        waiting = size
        async with database.transaction() as session:
            await session.execute(text("ANALYZE posts"))
            told = {"platforms": ["slack"], "busy": [], "now": _NOW}
            now_ms = await _median_ms(session, due(), _ROUNDS, told)
            before_ms = await _median_ms(session, _before(), 1) if size <= most_before else None
        base = base or now_ms / size
        row = {"waiting": size, "claim_ms": round(now_ms, 2), "times_its_share": round(now_ms / size / base, 2)}
        if before_ms is not None:
            row |= {"before_ms": round(before_ms, 1), "before_times_now": round(before_ms / now_ms, 1)}
        print(json.dumps(row))


async def _main(sizes: Sequence[int], most_before: int) -> None:
    with tempfile.TemporaryDirectory(prefix="switchboard-benchmark-") as folder, serving(Path(folder)) as url:
        await asyncio.to_thread(upgrade, url)
        async with open_database(url) as database:
            await _measure(database, sizes, most_before)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--posts", type=int, nargs="+", default=[300, 1_000, 3_000, 10_000])
    options.add_argument("--most-before", type=int, default=3_000)
    chosen = options.parse_args()
    sys.exit(asyncio.run(_main(sorted(chosen.posts), chosen.most_before)))
