"""What becomes of adapters that learned from somebody who is forgotten: a last day, and a cycle that does without."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.learning import Phase, Side
from db.reading import cycles
from db.reading.training_provenance import trained_on
from db.tables import AdapterRow, CycleRow, ExampleRow


async def let_go(
    session: AsyncSession, conversation_ids: Sequence[int], until: datetime, now: datetime
) -> tuple[str, ...]:
    """Name the adapters that may have learned from these conversations, before their examples are emptied.

    None of them serves after `until`, or after the day that an earlier erasure named. Their tasks' next cycles are
    asked for, and where one is at work now, whose training set may hold a text, another behind it.
    """
    found = await trained_on(session, conversation_ids)
    retired = update(AdapterRow).where(AdapterRow.name.in_(found))
    sooner = or_(AdapterRow.retires_at.is_(None), AdapterRow.retires_at > until)
    await session.execute(retired.where(sooner).values(retires_at=until))
    for task in await session.scalars(_tasks(conversation_ids, found)):
        await cycles.request(session, task, "erasure", f"erasure {now.isoformat()}", now)
    return found


async def forgotten_since_drawn(session: AsyncSession, cycle: int) -> bool:
    """Whether the training set of this cycle may hold words of somebody who was forgotten since it was drawn up."""
    gone = exists().where(
        ExampleRow.task == CycleRow.task,
        ExampleRow.text == "",
        ExampleRow.side == Side.TRAIN,
        ExampleRow.recorded_at <= CycleRow.started_at,
        ExampleRow.withdrawn_at >= CycleRow.started_at,
    )
    return (await session.execute(select(CycleRow.id).where(CycleRow.id == cycle, gone))).first() is not None


def _tasks(conversation_ids: Sequence[int], adapters: Sequence[str]) -> Select[str]:
    at_work = exists().where(
        CycleRow.task == ExampleRow.task,
        CycleRow.phase.in_((Phase.TRAINING, Phase.SCORING)),
        ExampleRow.recorded_at <= CycleRow.started_at,
    )
    learned = exists().where(AdapterRow.task == ExampleRow.task, AdapterRow.name.in_(adapters))
    said = (
        ExampleRow.conversation_id.in_(conversation_ids),
        ExampleRow.text != "",
        ExampleRow.side == Side.TRAIN,
    )
    return select(ExampleRow.task).where(*said, or_(learned, at_work)).distinct()
