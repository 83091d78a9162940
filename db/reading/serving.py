"""The pointer to the adapter that serves a task."""

from datetime import datetime

from sqlalchemy import Select, and_, bindparam, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AdapterRow, CanaryRow, LabelChangeRow, PromotionRow

NOBODY = ""
"""The pointer's value where no adapter serves."""


async def lock_registry(session: AsyncSession, task: str) -> None:
    """Allow one writer of the task's registry at a time, until the end of the transaction."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(task, 3))))


async def pointer(session: AsyncSession, task: str) -> PromotionRow | None:
    """The pointer's newest row; None before the first promotion."""
    moves = select(PromotionRow).where(PromotionRow.task == task).order_by(PromotionRow.id.desc()).limit(1)
    return (await session.scalars(moves)).first()


async def serving(session: AsyncSession, task: str, base: str) -> AdapterRow | None:
    """The adapter that serves with this base; None where none does."""
    found = await pointer(session, task)
    adapter = None if found is None else await session.get(AdapterRow, (task, found.adapter))
    return adapter if adapter is not None and adapter.base == base else None


async def told_of_champion(session: AsyncSession, task: str, base: str) -> tuple[AdapterRow, bool, bool] | None:
    """(the champion, whether a candidate is on trial beside it, whether labels were ever renamed), in one query."""
    row = (await session.execute(_CHAMPION, {"task_": task, "base_": base})).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def _champion() -> Select[AdapterRow, bool, bool]:
    newest = select(func.max(PromotionRow.id)).where(PromotionRow.task == bindparam("task_")).scalar_subquery()
    tried = exists().where(
        CanaryRow.task == PromotionRow.task, CanaryRow.ended_at.is_(None), CanaryRow.promotion == PromotionRow.id
    )
    renamed = exists().where(LabelChangeRow.task == PromotionRow.task)
    adapter = and_(AdapterRow.task == PromotionRow.task, AdapterRow.name == PromotionRow.adapter)
    told = select(AdapterRow, tried, renamed).join(PromotionRow, adapter)
    return told.where(PromotionRow.id == newest, AdapterRow.base == bindparam("base_"))


_CHAMPION = _champion()
"""Built once, so that it is compiled once: it runs for every message."""


def over(adapter: AdapterRow, now: datetime) -> bool:
    """Whether the adapter may not serve any more, because a person whose texts it learned from was forgotten."""
    return adapter.retires_at is not None and adapter.retires_at <= now
