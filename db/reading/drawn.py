"""When the training sets of adapters were drawn up: what their labels were called then."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AdapterRow, CycleRow


async def drawn_at(session: AsyncSession, adapters: Sequence[AdapterRow]) -> Mapping[str, datetime]:
    """Name of each of a task's adapters -> when its cycle began; without a cycle, when it was made."""
    begun = (
        select(CycleRow.adapter, func.min(CycleRow.started_at))
        .where(CycleRow.task.in_({row.task for row in adapters}), CycleRow.adapter.in_([row.name for row in adapters]))
        .where(CycleRow.started_at.is_not(None))
        .group_by(CycleRow.adapter)
    )
    drawn = {row.name: row.made_at for row in adapters}
    return drawn | {name: at for name, at in await session.execute(begun) if name is not None and at is not None}
