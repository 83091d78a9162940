"""Which adapter served when, and which was refused, by whom, and why."""

from dataclasses import replace

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.canary import End
from bot.domain.learning import Outcome, RegistryEvent
from db.tables import CanaryRow, CycleRow, PromotionRow

_MADE_IT = and_(
    CycleRow.task == PromotionRow.task, CycleRow.adapter == PromotionRow.adapter, CycleRow.promoted.is_(True)
)


async def history(session: AsyncSession, task: str, limit: int) -> list[RegistryEvent]:
    """The task's events, newest first. The cycle that made an adapter records its requester, its champion and the
    figures."""
    moves = select(PromotionRow, CycleRow).outerjoin(CycleRow, _MADE_IT).where(PromotionRow.task == task)
    refused = select(CycleRow).where(CycleRow.task == task, CycleRow.promoted.is_(False))
    moved = (await session.execute(moves.order_by(PromotionRow.id.desc()).limit(limit))).all()
    stayed = (await session.scalars(refused.order_by(CycleRow.id.desc()).limit(limit))).all()
    tried = select(CanaryRow).where(CanaryRow.task == task).order_by(CanaryRow.id.desc()).limit(limit)
    trials = (await session.scalars(tried)).all()
    events = [*(_move(move, cycle) for move, cycle in moved), *(_refusal(row) for row in stayed)]
    events += [event for row in trials for event in _trial(row)]
    return sorted(events, key=lambda event: event.at, reverse=True)[:limit]


def _move(move: PromotionRow, cycle: CycleRow | None) -> RegistryEvent:
    if move.reason.startswith("rolled back"):
        return RegistryEvent(move.at, move.adapter, Outcome.ROLLED_BACK, move.by, move.reason)
    event = RegistryEvent(move.at, move.adapter, Outcome.SERVES, move.by, move.reason)
    if move.by != "gate" or cycle is None:
        return event
    return replace(event, asked_by=cycle.requested_by, against=cycle.champion, figures=cycle.figures)


def _trial(row: CanaryRow) -> list[RegistryEvent]:
    """When a canary began, and how it ended if no promotion says so."""
    began = f"serves {row.share:.0%} of the requests first"
    events = [RegistryEvent(row.started_at, row.adapter, Outcome.CANARY, "gate", began, against=row.champion)]
    if row.how == End.WITHDRAWN and row.ended_at is not None:
        over = RegistryEvent(row.ended_at, row.adapter, Outcome.WITHDRAWN, "canary", row.reason, against=row.champion)
        events.append(over)
    return events


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
