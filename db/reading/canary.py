"""Which candidate is on trial as a canary."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.canary import End
from db.reading.serving import pointer
from db.tables import CanaryRow


async def on_trial(session: AsyncSession, task: str) -> CanaryRow | None:
    """The task's canary, unless the pointer has moved since it began."""
    running = select(CanaryRow).where(CanaryRow.task == task, CanaryRow.ended_at.is_(None))
    row = (await session.scalars(running.order_by(CanaryRow.id.desc()).limit(1))).first()
    if row is None:
        return None
    here = await pointer(session, task)
    return row if here is not None and here.id == row.promotion else None


async def supersede(session: AsyncSession, task: str, now: datetime) -> None:
    """End the running canary: another candidate takes its place, or another adapter serves."""
    running = update(CanaryRow).where(CanaryRow.task == task, CanaryRow.ended_at.is_(None))
    over = running.values(ended_at=now, how=End.SUPERSEDED)
    await session.execute(over.execution_options(synchronize_session=False))
