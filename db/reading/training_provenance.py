"""Which adapters learned from a conversation."""

from collections.abc import Sequence

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.learning import Side
from db.tables import AdapterRow, CycleRow, ExampleRow


async def trained_on(session: AsyncSession, conversation_ids: Sequence[int]) -> tuple[str, ...]:
    """Adapters whose training set may have held an example of these conversations, oldest first.

    In doubt an adapter counts: its set is drawn up some time between the start of its cycle and the adapter.
    """
    begun = select(func.min(CycleRow.started_at)).where(
        CycleRow.task == AdapterRow.task, CycleRow.adapter == AdapterRow.name
    )
    since = func.coalesce(begun.scalar_subquery(), AdapterRow.made_at)
    learned = exists().where(
        ExampleRow.conversation_id.in_(conversation_ids),
        ExampleRow.task == AdapterRow.task,
        ExampleRow.text != "",
        ExampleRow.side == Side.TRAIN,
        ~ExampleRow.quarantined,
        ExampleRow.recorded_at <= AdapterRow.made_at,
        or_(ExampleRow.withdrawn_at.is_(None), ExampleRow.withdrawn_at >= since),
    )
    named = select(AdapterRow.name).where(learned).order_by(AdapterRow.made_at, AdapterRow.name)
    return tuple(await session.scalars(named))
