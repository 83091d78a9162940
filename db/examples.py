"""Labelled texts, from files and from conversations."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Update,
    and_,
    any_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningInsert

from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.ledger import Change
from bot.domain.model_ports import Examples
from db.engine import Database, announce
from db.reading.own_taps import teaches_everybody
from db.tables import CycleRow, ExampleRow
from db.tables.base import storable

_BATCH = 2_000
"""The most examples in one transaction."""
_TRUST = case({source.value: rank for rank, source in enumerate(Source)}, value=ExampleRow.source)
"""0 for the most trusted source."""


class PostgresExamples:
    """The examples in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_examples(self, task: str, examples: Sequence[Example]) -> int:
        wanted = await self._unknown(task, _last_words(examples))
        new = 0
        for start in range(0, len(wanted), _BATCH):
            new += await self._add(task, wanted[start : start + _BATCH])
        return new

    async def _unknown(self, task: str, examples: Sequence[Example]) -> list[Example]:
        """The examples that do not stand already: an import that only repeats what is stored takes no lock."""
        stood: set[tuple[str, str, str]] = set()
        for start in range(0, len(examples), _BATCH):
            keys = [text_key(example.text) for example in examples[start : start + _BATCH]]
            async with self._database.transaction() as session:
                found = await session.execute(_standing(task, keys))
                stood.update((key, label, source) for key, label, source in found)
        return [e for e in examples if (text_key(e.text), e.label, e.source.value) not in stood]

    async def _add(self, task: str, batch: Sequence[Example]) -> int:
        """Add a batch in one transaction, short enough that another import does not wait long."""
        keys = [text_key(example.text) for example in batch]
        async with self._database.transaction() as session:
            # Two imports at once would not see each other's labels
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(task, 2))))
            known = list(await session.scalars(_labelled(task, keys)))
            new = len((await session.execute(_inserted(task, batch))).all())
            if new and known:
                await _overrule(session, task, known)
            if new:
                await announce(session, Change.EXAMPLE)
        return new

    async def sync_settings(self, task: str, wanted: Sequence[Example], now: datetime) -> int:
        async with self._database.transaction() as session:
            changed = await _sync(session, task, wanted, now)
            if changed:
                await announce(session, Change.EXAMPLE)
        return changed

    async def examples(self, task: str) -> list[Example]:
        standing = select(ExampleRow).where(
            ExampleRow.task == task, ExampleRow.withdrawn_at.is_(None), ~ExampleRow.quarantined, teaches_everybody()
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


def _standing(task: str, keys: Sequence[str]) -> Select[str, str, str]:
    """The standing examples of these texts that came from files."""
    said = select(ExampleRow.text_key, ExampleRow.label, ExampleRow.source)
    return said.where(_of(task, keys), ExampleRow.withdrawn_at.is_(None))


def _labelled(task: str, keys: Sequence[str]) -> Select[str]:
    """Those of the texts for which an example from a file exists, withdrawn or not."""
    return select(ExampleRow.text_key).where(_of(task, keys)).distinct()


def _of(task: str, keys: Sequence[str]) -> ColumnElement[bool]:
    return and_(ExampleRow.task == task, _one_of(keys), ExampleRow.conversation_id.is_(None))


def _one_of(keys: Sequence[str]) -> ColumnElement[bool]:
    """Matches by one array, for which PostgreSQL reads an index or the table once, however many keys there are."""
    return ExampleRow.text_key == any_(literal(list(keys), ARRAY(Text)))


def _inserted(task: str, examples: Sequence[Example]) -> ReturningInsert[int]:
    """Insert new examples, and restore withdrawn ones that a newer file repeats, in one statement."""
    words = {
        "text": [storable(e.text) for e in examples],
        "text_key": [text_key(e.text) for e in examples],
        "label": [e.label for e in examples],
        "source": [e.source.value for e in examples],
        "side": [e.side.value for e in examples],
        "origin": [storable(e.origin) for e in examples],
    }
    times = literal([e.at for e in examples], ARRAY(DateTime(timezone=True)))
    arrays = [literal(values, ARRAY(Text)) for values in words.values()]
    columns = [*words, "at"]
    given = func.unnest(*arrays, times).table_valued(*columns).render_derived()
    same = {"task": literal(task), "recorded_at": given.c.at, "quarantined": false()}
    names = [*columns, *same]
    fresh = insert(ExampleRow).from_select(names, select(*(given.c[name] for name in columns), *same.values()))
    again = fresh.on_conflict_do_update(
        index_elements=[ExampleRow.task, ExampleRow.text_key, ExampleRow.label, ExampleRow.source],
        index_where=ExampleRow.conversation_id.is_(None),
        set_={"at": fresh.excluded.at, "withdrawn_at": None},
        where=ExampleRow.withdrawn_at.is_not(None) & (fresh.excluded.at > ExampleRow.at),
    )
    return again.returning(ExampleRow.id)


async def _sync(session: AsyncSession, task: str, wanted: Sequence[Example], now: datetime) -> int:
    """Compare first, then write only rows that nobody else has locked: no start waits for a long import.

    What such an import overrules meanwhile is noticed at the next start.
    """
    standing = {(row.text_key, row.label): row.id for row in await session.scalars(_of_the_settings(task))}
    said = {text_key(example.text): example for example in wanted}  # the last example of a text counts
    overruled = set(await session.scalars(_imported_otherwise(task, said))) if said else set()
    counting = {(key, e.label): e for key, e in said.items() if key not in overruled}
    gone = [id for pair, id in standing.items() if pair not in counting]
    unknown = [example for pair, example in counting.items() if pair not in standing]
    new = [replace(example, at=now + timedelta(microseconds=n)) for n, example in enumerate(unknown)]
    await _withdraw(session, gone)
    if new:
        await session.execute(_taken_over(task, new, now))
        await session.execute(_inserted(task, new))
        await _withdraw(session, await _losers(session, task, [text_key(example.text) for example in new]))
    return len(gone) + len(new)


def _of_the_settings(task: str) -> Select[ExampleRow]:
    return select(ExampleRow).where(
        ExampleRow.task == task, ExampleRow.source == Source.SETTINGS, ExampleRow.withdrawn_at.is_(None)
    )


def _imported_otherwise(task: str, said: Mapping[str, Example]) -> Select[str]:
    """Texts to which an imported file, which is trusted more, gives another label than the settings do."""
    return select(ExampleRow.text_key).where(
        ExampleRow.task == task,
        ExampleRow.source == Source.IMPORT,
        ExampleRow.withdrawn_at.is_(None),
        tuple_(ExampleRow.text_key, ExampleRow.label).not_in([(key, e.label) for key, e in said.items()]),
        ExampleRow.text_key.in_(list(said)),
    )


def _taken_over(task: str, new: Sequence[Example], now: datetime) -> Update:
    """Turn examples that earlier versions stored as a demo's seed into the settings' examples, keeping their
    vectors."""
    pairs = [(text_key(example.text), example.label) for example in new]
    known = aliased(ExampleRow)
    already = exists().where(
        known.task == task,
        known.source == Source.SETTINGS,
        known.text_key == ExampleRow.text_key,
        known.label == ExampleRow.label,
    )
    seed = update(ExampleRow).where(
        ExampleRow.task == task,
        ExampleRow.source == Source.SEED,
        ExampleRow.withdrawn_at.is_(None),
        tuple_(ExampleRow.text_key, ExampleRow.label).in_(pairs),
        ~already,
    )
    return seed.values(source=Source.SETTINGS, at=now).execution_options(synchronize_session=False)


async def _withdraw(session: AsyncSession, ids: Sequence[int]) -> None:
    """Withdraw those of them that nobody else has locked."""
    free = select(ExampleRow.id).where(_numbered(ids)).with_for_update(skip_locked=True)
    await session.execute(_withdrawn((await session.scalars(free)).all()))


async def _overrule(session: AsyncSession, task: str, keys: Sequence[str]) -> None:
    await session.execute(_withdrawn(await _losers(session, task, keys)))


def _withdrawn(ids: Sequence[int]) -> Update:
    return update(ExampleRow).where(_numbered(ids)).values(withdrawn_at=func.now())


def _numbered(ids: Sequence[int]) -> ColumnElement[bool]:
    return ExampleRow.id == any_(literal(list(ids), ARRAY(BigInteger)))


async def _losers(session: AsyncSession, task: str, keys: Sequence[str]) -> Sequence[int]:
    """The examples of texts that files label differently, except those with the most trusted and newest label.

    Read apart from the update that follows: inside it, on a table without planner statistics yet, the ranking was
    computed anew for every row.
    """
    order = (_TRUST, ExampleRow.at.desc(), ExampleRow.id.desc())
    winner = func.first_value(ExampleRow.label).over(partition_by=ExampleRow.text_key, order_by=order)
    ranked = (
        select(ExampleRow.id, ExampleRow.label, winner.label("winner"))
        .where(ExampleRow.task == task, _one_of(keys))
        .where(ExampleRow.conversation_id.is_(None), ExampleRow.withdrawn_at.is_(None))
        .subquery()
    )
    return (await session.scalars(select(ranked.c.id).where(ranked.c.label != ranked.c.winner))).all()


def _example(row: ExampleRow) -> Example:
    return Example(row.text, row.label, Source(row.source), Side(row.side), row.at, row.conversation_id, row.origin)


def _waiting(task: str) -> Select[int]:
    """Count the corrections recorded since the last training that did not fail began."""
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
