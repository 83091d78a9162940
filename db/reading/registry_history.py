"""Who served when, and who was refused, by whom, and why."""

from dataclasses import replace

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.learning import Outcome, RegistryEvent
from db.tables import CycleRow, PromotionRow

_MADE_IT = and_(
    CycleRow.task == PromotionRow.task, CycleRow.adapter == PromotionRow.adapter, CycleRow.promoted.is_(True)
)


async def history(session: AsyncSession, task: str, limit: int) -> list[RegistryEvent]:
    """Newest first. The cycle that made an adapter knows who asked for it, its champion and the figures."""
    moves = select(PromotionRow, CycleRow).outerjoin(CycleRow, _MADE_IT).where(PromotionRow.task == task)
    refused = select(CycleRow).where(CycleRow.task == task, CycleRow.promoted.is_(False))
    moved = (await session.execute(moves.order_by(PromotionRow.id.desc()).limit(limit))).all()
    stayed = (await session.scalars(refused.order_by(CycleRow.id.desc()).limit(limit))).all()
    events = [*(_move(move, cycle) for move, cycle in moved), *(_refusal(row) for row in stayed)]
    return sorted(events, key=lambda event: event.at, reverse=True)[:limit]


def _move(move: PromotionRow, cycle: CycleRow | None) -> RegistryEvent:
    if move.reason.startswith("rolled back"):
        return RegistryEvent(move.at, move.adapter, Outcome.ROLLED_BACK, move.by, move.reason)
    event = RegistryEvent(move.at, move.adapter, Outcome.SERVES, move.by, move.reason)
    if move.by != "gate" or cycle is None:
        return event
    return replace(event, asked_by=cycle.requested_by, against=cycle.champion, figures=cycle.figures)


def _refusal(cycle: CycleRow) -> RegistryEvent:
    return RegistryEvent(
        cycle.concluded_at or cycle.requested_at,
        cycle.adapter or "",
        Outcome.REFUSED,
        "gate",
        "; ".join(cycle.reasons),
        cycle.requested_by,
        cycle.champion,
        cycle.figures,
    )
