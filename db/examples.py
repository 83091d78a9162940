"""Labelled texts, from files and from conversations."""

from collections.abc import Sequence

from sqlalchemy import Select, Update, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.model_ports import Examples
from bot.domain.ports import Change
from db.engine import Database, announce
from db.tables import CycleRow, ExampleRow

_BATCH = 500
_TRUST = case({source.value: rank for rank, source in enumerate(Source)}, value=ExampleRow.source)
"""0 for the most trusted source."""


class PostgresExamples:
    """The examples in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_examples(self, task: str, examples: Sequence[Example]) -> int:
        wanted = _last_words(examples)
        async with self._database.transaction() as session:
            # Two imports at once would not see each other's labels
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(task, 2))))
            new = 0
            for start in range(0, len(wanted), _BATCH):
                new += await _add(session, task, wanted[start : start + _BATCH])
            if new:
                await announce(session, Change.EXAMPLE)
        return new

    async def examples(self, task: str) -> list[Example]:
        standing = select(ExampleRow).where(
            ExampleRow.task == task, ExampleRow.withdrawn_at.is_(None), ~ExampleRow.quarantined
        )
        async with self._database.transaction() as session:
            return [_example(row) for row in await session.scalars(standing.order_by(ExampleRow.id))]

    async def waiting_corrections(self, task: str) -> int:
        async with self._database.transaction() as session:
            return (await session.execute(_waiting(task))).scalar_one()


def _last_words(examples: Sequence[Example]) -> list[Example]:
    """One example for each text and source: the latest, and of the same moment the last in the file."""
    latest: dict[tuple[str, Source], Example] = {}
    for example in sorted(examples, key=lambda e: e.at):
        latest[text_key(example.text), example.source] = example
    return list(latest.values())


async def _add(session: AsyncSession, task: str, batch: Sequence[Example]) -> int:
    added = await session.execute(_inserted(), [_values(task, example) for example in batch])
    new = len(added.all())
    if new:
        await session.execute(_overruled(task, [text_key(example.text) for example in batch]))
    return new


def _inserted() -> ReturningInsert[int]:
    """New ones, and old ones that a newer file repeats after another file had overruled them."""
    fresh = insert(ExampleRow)
    again = fresh.on_conflict_do_update(
        index_elements=[ExampleRow.task, ExampleRow.text_key, ExampleRow.label, ExampleRow.source],
        index_where=ExampleRow.conversation_id.is_(None),
        set_={"at": fresh.excluded.at, "withdrawn_at": None},
        where=ExampleRow.withdrawn_at.is_not(None) & (fresh.excluded.at > ExampleRow.at),
    )
    return again.returning(ExampleRow.id)


def _values(task: str, example: Example) -> dict[str, object]:
    return {
        "task": task,
        "text": example.text,
        "text_key": text_key(example.text),
        "label": example.label,
        "source": example.source,
        "side": example.side,
        "at": example.at,
        "recorded_at": example.at,
        "quarantined": False,
    }


def _overruled(task: str, keys: Sequence[str]) -> Update:
    """Withdraws, of each text that files label differently, all labels but the most trusted and newest."""
    order = (_TRUST, ExampleRow.at.desc(), ExampleRow.id.desc())
    winner = func.first_value(ExampleRow.label).over(partition_by=ExampleRow.text_key, order_by=order)
    ranked = (
        select(ExampleRow.id, ExampleRow.label, winner.label("winner"))
        .where(ExampleRow.task == task, ExampleRow.text_key.in_(keys))
        .where(ExampleRow.conversation_id.is_(None), ExampleRow.withdrawn_at.is_(None))
        .subquery()
    )
    losers = select(ranked.c.id).where(ranked.c.label != ranked.c.winner)
    return update(ExampleRow).where(ExampleRow.id.in_(losers)).values(withdrawn_at=func.now())


def _example(row: ExampleRow) -> Example:
    return Example(row.text, row.label, Source(row.source), Side(row.side), row.at, row.conversation_id)


def _waiting(task: str) -> Select[int]:
    """Corrections recorded since the last training set that was not in vain."""
    last = select(func.max(CycleRow.started_at)).where(CycleRow.task == task, CycleRow.phase != "failed")
    since = last.scalar_subquery()
    return select(func.count(ExampleRow.id)).where(
        ExampleRow.task == task,
        ExampleRow.source == Source.CORRECTION,
        ExampleRow.conversation_id.is_not(None),
        ExampleRow.withdrawn_at.is_(None),
        ~ExampleRow.quarantined,
        or_(since.is_(None), ExampleRow.recorded_at > since),
    )


_: type[Examples] = PostgresExamples
