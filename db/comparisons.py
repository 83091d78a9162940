"""The scheduled comparisons, each stored once."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from bot.domain.ledger import Change
from bot.domain.past_comparisons import PastComparison, PastComparisons
from bot.domain.posts import Post
from bot.domain.report_posts import ComparisonReport
from db.engine import Database, announce
from db.posts.enqueue import enqueue
from db.reading.codec import decode, encode
from db.server.advisory_locks import alone
from db.tables import ComparisonRow

_OF_THE_ROW = ("task", "ruling", "messages", "gain", "margin", "arms", "currency")


class PostgresComparisons:
    """Past comparisons in PostgreSQL: the row and its posts are one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def alone(self, task: str) -> AbstractAsyncContextManager[None]:
        return alone(self._database, f"comparison of {task}")

    async def made(self, task: str, tick: str) -> bool:
        wanted = select(ComparisonRow.tick).where(ComparisonRow.task == task, ComparisonRow.tick == tick)
        async with self._database.transaction() as session:
            return await session.scalar(wanted) is not None

    async def add(self, tick: str, made: PastComparison, posts: Sequence[Post]) -> bool:
        row = insert(ComparisonRow).values(_row(tick, made)).on_conflict_do_nothing()
        async with self._database.transaction() as session:
            if (await session.execute(row.returning(ComparisonRow.tick))).first() is None:
                return False
            await enqueue(session, None, posts, made.at)
            await announce(session, Change.OWED)
        return True

    async def newest(self, task: str, limit: int) -> Sequence[PastComparison]:
        wanted = select(ComparisonRow).where(ComparisonRow.task == task)
        async with self._database.transaction() as session:
            rows = await session.scalars(wanted.order_by(ComparisonRow.at.desc()).limit(limit))
            return [_past(row) for row in rows]


def _row(tick: str, made: PastComparison) -> Mapping[str, object]:
    _, report = encode(made.report)
    known = {name: report[name] for name in _OF_THE_ROW}
    return {**known, "tick": tick, "at": made.at, "verdict": made.verdict, "adapter": made.adapter}


def _past(row: ComparisonRow) -> PastComparison:
    stored = {name: getattr(row, name) for name in _OF_THE_ROW}
    report = decode(ComparisonReport.__name__, stored)
    assert isinstance(report, ComparisonReport)  # noqa: S101  of that kind it was asked
    return PastComparison(report, row.verdict, row.adapter, row.at)


_: type[PastComparisons] = PostgresComparisons
