"""What becomes of adapters that learned from a forgotten person: a last day, and a new cycle without the person."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, Update, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.learning import Phase, Side
from db.reading import cycles
from db.reading.training_provenance import trained_on
from db.tables import AdapterRow, CycleRow, ExampleRow

_OPEN = (Phase.REQUESTED, Phase.TRAINING, Phase.SCORING)


async def let_go(
    session: AsyncSession, conversation_ids: Sequence[int], until: datetime, now: datetime
) -> tuple[str, ...]:
    """Retire the adapters that may have learned from these conversations; call it before their examples are emptied.

    None of them serves after `until`, or after an earlier day that an erasure set. A new cycle is requested for each of
    their tasks, and for tasks with a running cycle whose training set may hold such a text. Cycles whose training set
    may hold a text are marked: no copy of it may stay on disk, and running ones conclude nothing. Returns the adapters'
    names.
    """
    # A cycle just being claimed either draws up its set after this transaction, or is seen by it as running
    await session.execute(select(CycleRow.id).where(CycleRow.phase.in_(_OPEN)).order_by(CycleRow.id).with_for_update())
    found = await trained_on(session, conversation_ids)
    await session.execute(_voided(conversation_ids, found, now))
    retired = update(AdapterRow).where(AdapterRow.name.in_(found))
    sooner = or_(AdapterRow.retires_at.is_(None), AdapterRow.retires_at > until)
    await session.execute(retired.where(sooner).values(retires_at=until))
    for task in await session.scalars(_tasks(conversation_ids, found)):
        await cycles.request(session, task, "erasure", f"erasure {now.isoformat()}", now)
    return found


def _voided(conversation_ids: Sequence[int], adapters: Sequence[str], now: datetime) -> Update:
    """In doubt a running cycle's set holds them: it is drawn up some time after the cycle began."""
    held = exists().where(
        ExampleRow.task == CycleRow.task,
        CycleRow.started_at.is_not(None),
        ExampleRow.conversation_id.in_(conversation_ids),
        ExampleRow.text != "",
        ExampleRow.side == Side.TRAIN,
        or_(CycleRow.phase.in_(_OPEN), ExampleRow.recorded_at <= CycleRow.started_at),
        or_(ExampleRow.withdrawn_at.is_(None), ExampleRow.withdrawn_at >= CycleRow.started_at),
    )
    which = CycleRow.forgotten_at.is_(None), or_(CycleRow.adapter.in_(adapters), held)
    return update(CycleRow).where(*which).values(forgotten_at=now).execution_options(synchronize_session=False)


def _tasks(conversation_ids: Sequence[int], adapters: Sequence[str]) -> Select[str]:
    at_work = exists().where(
        CycleRow.task == ExampleRow.task,
        CycleRow.phase.in_(_OPEN),
        CycleRow.started_at.is_not(None),
    )
    learned = exists().where(AdapterRow.task == ExampleRow.task, AdapterRow.name.in_(adapters))
    said = (
        ExampleRow.conversation_id.in_(conversation_ids),
        ExampleRow.text != "",
        ExampleRow.side == Side.TRAIN,
    )
    return select(ExampleRow.task).where(*said, or_(learned, at_work)).distinct()
