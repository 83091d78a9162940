"""The pointer to the adapter that serves a task."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AdapterRow, PromotionRow

NOBODY = ""
"""What the pointer holds where no adapter serves."""


async def lock_registry(session: AsyncSession, task: str) -> None:
    """One writer of a task's registry at a time, until the end of the transaction."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(task, 3))))


async def pointer(session: AsyncSession, task: str) -> PromotionRow | None:
    """Where the pointer is; None before the first promotion."""
    moves = select(PromotionRow).where(PromotionRow.task == task).order_by(PromotionRow.id.desc()).limit(1)
    return (await session.scalars(moves)).first()


async def serving(session: AsyncSession, task: str, base: str) -> AdapterRow | None:
    """The adapter that serves with this base; None where none does."""
    found = await pointer(session, task)
    adapter = None if found is None else await session.get(AdapterRow, (task, found.adapter))
    return adapter if adapter is not None and adapter.base == base else None


def over(adapter: AdapterRow, now: datetime) -> bool:
    """Whether it may not serve any more, since somebody whose texts it learned from was forgotten."""
    return adapter.retires_at is not None and adapter.retires_at <= now
