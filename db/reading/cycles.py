"""Learning cycles: asked for once, held by one process at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.learning import Cycle, Phase, Verdict
from bot.domain.ports import Change
from db.engine import Database, announce
from db.tables import CycleRow

_LEARNING = 7_101_883_204
"""The advisory lock of whoever learns."""
_OPEN = (Phase.REQUESTED, Phase.TRAINING, Phase.SCORING)


async def request(session: AsyncSession, task: str, by: str, key: str, now: datetime) -> bool:
    asked = insert(CycleRow).values(
        task=task,
        key=key,
        requested_by=by,
        requested_at=now,
        phase=Phase.REQUESTED,
        progress=0.0,
        reasons=[],
        figures={},
        problem="",
    )
    new = await session.execute(asked.on_conflict_do_nothing().returning(CycleRow.id))
    if new.first() is None:
        return False
    await announce(session, Change.CYCLE)
    return True


@asynccontextmanager
async def claim(database: Database, now: datetime) -> AsyncIterator[Cycle | None]:
    """The lock dies with its connection, and so with the process that holds it."""
    async with database.locked(_LEARNING, wait=False) as held:
        yield await _taken(database, now) if held else None


async def _taken(database: Database, now: datetime) -> Cycle | None:
    async with database.transaction() as session:
        row = (await session.scalars(_next())).first()
        if row is None:
            return None
        started = update(CycleRow).where(CycleRow.id == row.id)
        await session.execute(started.values(started_at=func.coalesce(CycleRow.started_at, now)))
        return cycle(row)


def _next() -> Select[CycleRow]:
    """What a process that died left behind is older than any request, and goes first."""
    return select(CycleRow).where(CycleRow.phase.in_(_OPEN)).order_by(CycleRow.id).limit(1)


async def update_progress(
    session: AsyncSession, cycle_id: int, phase: Phase, progress: float, adapter: str | None
) -> None:
    known = func.coalesce(adapter, CycleRow.adapter)
    moved = update(CycleRow).where(CycleRow.id == cycle_id, CycleRow.phase.in_(_OPEN))
    await session.execute(moved.values(phase=phase, progress=progress, adapter=known))
    await announce(session, Change.CYCLE)


async def conclude(session: AsyncSession, cycle_id: int, verdict: Verdict | None, problem: str, now: datetime) -> None:
    ended = update(CycleRow).where(CycleRow.id == cycle_id, CycleRow.phase.in_(_OPEN))
    await session.execute(ended.values(**_outcome(verdict), problem=problem, progress=1.0, concluded_at=now))
    await announce(session, Change.CYCLE)


def _outcome(verdict: Verdict | None) -> dict[str, object]:
    if verdict is None:
        return {"phase": Phase.FAILED}
    return {
        "phase": Phase.DONE,
        "promoted": verdict.promoted,
        "reasons": list(verdict.reasons),
        "figures": dict(verdict.figures),
    }


async def newest(session: AsyncSession, task: str, limit: int) -> list[Cycle]:
    wanted = select(CycleRow).where(CycleRow.task == task).order_by(CycleRow.id.desc()).limit(limit)
    return [cycle(row) for row in await session.scalars(wanted)]


def cycle(row: CycleRow) -> Cycle:
    verdict = None if row.promoted is None else Verdict(row.promoted, tuple(row.reasons), row.figures)
    return Cycle(row.id, row.task, row.requested_by, Phase(row.phase), row.progress, row.adapter, verdict, row.problem)
