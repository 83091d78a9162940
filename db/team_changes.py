"""Teams that are renamed, merged, split or retired: what is stored of them follows the settings in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, any_, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.conversations import State
from bot.domain.errors import UsageError
from bot.domain.learning import Source, text_key
from bot.domain.ledger import Change
from bot.domain.tasks import Task
from bot.domain.team_changes import (
    Kind,
    KnownLabel,
    MadeChange,
    Moves,
    TeamChange,
    TeamChanges,
    Touched,
    check_change,
    check_known,
    check_left,
    is_done,
    renaming_of,
)
from db.conversations.relabel import hand_over, relabel_rulings, rename_answers, rename_requests
from db.engine import Database, announce
from db.tables import AdapterRow, ConversationRow, CorrectionRow, DecisionRow, ExampleRow, LabelChangeRow, LabelCodeRow

_SAID = (Source.CORRECTION, Source.CONFIRMATION, Source.TAP)
_PEOPLE_SAID = or_(ExampleRow.source.in_(_SAID), ExampleRow.conversation_id.is_not(None))
_MEANWHILE = "\u2194"
"""The prefix of a name while two names change places."""


class PostgresTeamChanges:
    """The `team_changes.TeamChanges` port in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def labels(self, task: str) -> list[KnownLabel]:
        async with self._database.transaction() as session:
            return await _labels(session, task)

    async def learned(self) -> list[KnownLabel]:
        said = func.count().filter(_PEOPLE_SAID)
        standing = ExampleRow.source != Source.SETTINGS, ExampleRow.withdrawn_at.is_(None)
        found = select(ExampleRow.task, func.count(), said).where(*standing).group_by(ExampleRow.task)
        async with self._database.transaction() as session:
            rows = await session.execute(found.order_by(ExampleRow.task))
            return [KnownLabel(task, examples, corrections) for task, examples, corrections in rows]

    async def made(self, task: str) -> list[MadeChange]:
        async with self._database.transaction() as session:
            return await _made(session, task)

    async def change(self, task: Task, wanted: TeamChange, moves: Moves, now: datetime, dry_run: bool) -> Touched:
        check_change(task, wanted)
        async with self._database.transaction() as session:
            touched = await _change(session, task, wanted, moves, now)
            if dry_run:
                await session.rollback()
        return touched


async def _change(session: AsyncSession, task: Task, wanted: TeamChange, moves: Moves, now: datetime) -> Touched:
    # Imports hold the first lock; giving out codes and moving the pointer take the second: neither may come in between
    for number in (2, 3):
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(task.name, number))))
    made = await _made(session, task.name)
    check_known(wanted, [*await _labels(session, task.name), *await _decided(session, task.name, wanted.before)], made)
    again, renaming = is_done(wanted, made), renaming_of(wanted.before, made)
    touched = await _follow(session, task, wanted, moves, now, again)
    unused = renaming and not again and touched.no_data
    if renaming and unused and not await _decided(session, task.name, wanted.before, renaming.at):
        check_left(wanted, renaming)
    if not (touched.nothing and (again or wanted.kind is Kind.SPLIT)):
        row = {"kind": wanted.kind, "before": wanted.before, "after": wanted.after, "by": wanted.by, "at": now}
        await session.execute(insert(LabelChangeRow).values(task=task.name, touched=asdict(touched), **row))
        await announce(session, Change.EXAMPLE, Change.MODEL, Change.OWED)
    return touched


async def _follow(
    session: AsyncSession, asked: Task, wanted: TeamChange, moves: Moves, now: datetime, again: bool
) -> Touched:
    task, before, after = asked.name, wanted.before, wanted.after
    match wanted.kind:
        case Kind.RENAME:
            codes, adapters = (0, 0) if again else await _rename_codes(session, task, before, after)
            examples = await _relabel(session, task, before, after, now)
            rulings = await relabel_rulings(session, task, before, after)
            requests = rename_requests if asked.routes else rename_answers
            return Touched(examples, rulings, await requests(session, task, before, after), adapters, codes)
        case Kind.MERGE:
            examples = await _relabel(session, task, before, after, now)
            if asked.routes:
                moved = await hand_over(session, task, wanted, moves, now)
            else:
                moved = await rename_answers(session, task, before, after)
            return Touched(examples, await relabel_rulings(session, task, before, after), moved)
        case Kind.SPLIT:
            return await _split(session, task, wanted, now)
        case Kind.RETIRE:
            moved = await hand_over(session, task, wanted, moves, now)
            return Touched(await _withdraw(session, task, before, now), 0, moved)


async def _split(session: AsyncSession, task: str, wanted: TeamChange, now: datetime) -> Touched:
    keys = [text_key(text) for text in wanted.texts]
    theirs = select(ExampleRow.conversation_id).where(
        _standing(task, wanted.before, keys), ExampleRow.conversation_id.is_not(None)
    )
    ruled = update(CorrectionRow).where(
        CorrectionRow.task == task,
        CorrectionRow.label == wanted.before,
        CorrectionRow.withdrawn_at.is_(None),
        CorrectionRow.conversation_id.in_(theirs),
    )
    rulings = len((await session.execute(ruled.values(label=wanted.after).returning(CorrectionRow.id))).all())
    return Touched(await _relabel(session, task, wanted.before, wanted.after, now, keys), rulings)


# --- examples ---


def _standing(task: str, label: str, keys: Sequence[str] | None = None) -> ColumnElement[bool]:
    """The standing examples of that label, except the settings' own, which only the settings change."""
    of = and_(
        ExampleRow.task == task,
        ExampleRow.label == label,
        ExampleRow.source != Source.SETTINGS,
        ExampleRow.withdrawn_at.is_(None),
    )
    return of if keys is None else and_(of, ExampleRow.text_key == any_(literal(list(keys), ARRAY(TEXT))))


async def _relabel(
    session: AsyncSession, task: str, before: str, after: str, now: datetime, keys: Sequence[str] | None = None
) -> int:
    """Relabel the examples; return how many. A text from files that had both labels keeps one row."""
    known = aliased(ExampleRow)
    same = and_(
        known.task == task,
        known.label == after,
        known.conversation_id.is_(None),
        known.text_key == ExampleRow.text_key,
        known.source == ExampleRow.source,
    )
    twice = and_(_standing(task, before, keys), ExampleRow.conversation_id.is_(None), exists().where(same))
    twins = select(known.id).join(ExampleRow, and_(same, _standing(task, before, keys)))
    twins = twins.where(ExampleRow.conversation_id.is_(None))
    ids = (await session.scalars(twins)).all()
    await session.execute(update(ExampleRow).where(ExampleRow.id.in_(ids)).values(withdrawn_at=None))
    double = update(ExampleRow).where(twice).values(withdrawn_at=now).execution_options(synchronize_session=False)
    gone = len((await session.execute(double.returning(ExampleRow.id))).all())
    moved = update(ExampleRow).where(_standing(task, before, keys)).values(label=after)
    moved = moved.execution_options(synchronize_session=False)
    return gone + len((await session.execute(moved.returning(ExampleRow.id))).all())


async def _withdraw(session: AsyncSession, task: str, label: str, now: datetime) -> int:
    """Withdraw the examples of the label; nothing is deleted. Returns how many."""
    gone = update(ExampleRow).where(_standing(task, label)).values(withdrawn_at=now)
    return len((await session.execute(gone.returning(ExampleRow.id))).all())


# --- codes ---


async def _rename_codes(session: AsyncSession, task: str, before: str, after: str) -> tuple[int, int]:
    """(codes, adapters) under the new name: an adapter trained with the old name answers with the same token.

    A code that the new name got meanwhile stays in use, for the old name: no code is ever used again.
    """
    adapters = (await session.scalars(select(AdapterRow).where(AdapterRow.task == task))).all()
    trained = sorted(adapter.name for adapter in adapters if after in adapter.codes)
    if trained:
        raise UsageError(
            f"{', '.join(trained)} learned {after!r} as a team of its own; it has two codes by now: "
            f"`switchboard teams merge {before} {after}` makes one team of both"
        )
    theirs = [adapter for adapter in adapters if before in adapter.codes]
    for adapter in theirs:
        values = {"codes": _renamed(adapter.codes, before, after), "proved": _proved(adapter, before, after)}
        one = update(AdapterRow).where(AdapterRow.task == task, AdapterRow.name == adapter.name)
        await session.execute(one.values(**values).execution_options(synchronize_session=False))
    return await _swap_codes(session, task, before, after), len(theirs)


def _renamed(codes: Mapping[str, str], before: str, after: str) -> dict[str, str]:
    return {after if label == before else label: code for label, code in codes.items()}


def _proved(adapter: AdapterRow, before: str, after: str) -> list[list[object]] | None:
    rows = adapter.proved
    return None if rows is None else [[after if label == before else label, *counts] for label, *counts in rows]


async def _swap_codes(session: AsyncSession, task: str, before: str, after: str) -> int:
    """Exchange the two names' codes in each base where the old name has one."""
    bases = select(LabelCodeRow.base).where(LabelCodeRow.task == task, LabelCodeRow.label == before)
    found = (await session.scalars(bases)).all()
    of = update(LabelCodeRow).where(LabelCodeRow.task == task, LabelCodeRow.base.in_(found))
    for old, new in ((after, _MEANWHILE + after), (before, after), (_MEANWHILE + after, before)):
        named = of.where(LabelCodeRow.label == old).values(label=new)
        await session.execute(named.execution_options(synchronize_session=False))
    return len(found)


# --- what is known ---


async def _made(session: AsyncSession, task: str) -> list[MadeChange]:
    rows = await session.scalars(select(LabelChangeRow).where(LabelChangeRow.task == task).order_by(LabelChangeRow.id))
    return [
        MadeChange(
            Kind(row.kind), row.before, row.after, row.by, row.at, {k: int(count) for k, count in row.touched.items()}
        )
        for row in rows
    ]


async def _decided(session: AsyncSession, task: str, label: str, since: datetime | None = None) -> list[KnownLabel]:
    """The label, if any decision ever had it, or had it since then."""
    ever = exists().where(DecisionRow.task == task, DecisionRow.label == label)
    found = await session.scalar(select(ever if since is None else ever.where(DecisionRow.at > since)))
    return [KnownLabel(label)] if found else []


async def _labels(session: AsyncSession, task: str) -> list[KnownLabel]:
    said = func.count().filter(_PEOPLE_SAID)
    others = func.count().filter(ExampleRow.source != Source.SETTINGS)
    standing = ExampleRow.task == task, ExampleRow.withdrawn_at.is_(None)
    taught = await session.execute(select(ExampleRow.label, others, said).where(*standing).group_by(ExampleRow.label))
    opened = ConversationRow.state.in_([State.ASKED, State.ROUTED])
    with_it = select(ConversationRow.label, func.count()).where(ConversationRow.task == task, opened)
    requests = await session.execute(with_it.group_by(ConversationRow.label))
    coded = select(LabelCodeRow.label).where(LabelCodeRow.task == task).distinct()
    known = {label: KnownLabel(label) for label in await session.scalars(coded)}
    known |= {label: KnownLabel(label, examples, corrected) for label, examples, corrected in taught}
    for label, count in requests:
        if label is not None:
            known[label] = replace(known.get(label, KnownLabel(label)), open=count)
    return [known[label] for label in sorted(known)]


_: type[TeamChanges] = PostgresTeamChanges
