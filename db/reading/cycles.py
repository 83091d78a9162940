"""Learning cycles: requested once, held by one process at a time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.errors import ClaimLost, Refused
from bot.domain.learning import Cycle, Judged, Phase, Verdict
from bot.domain.ledger import Change
from db.engine import Database, announce
from db.tables import CycleRow

_LEARNING = 7_101_883_204
"""The advisory lock of the process that runs a learning cycle."""
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
    """Claim the next waiting cycle; None if there is none or another process holds the lock.

    The lock ends with its connection, and so with its process. If the connection is lost and the process lives on,
    another process may claim the same cycle: its claim voids ours. If no cycle waits, no lock is taken: a lock needs a
    connection of its own, and this runs every second.
    """
    async with database.transaction() as session:
        waits = (await session.execute(_ANY)).first() is not None
    if not waits:
        yield None
        return
    async with database.locked(_LEARNING, wait=False) as held:
        yield await _taken(database, now) if held else None


async def _taken(database: Database, now: datetime) -> Cycle | None:
    """The next cycle, claimed. Whoever claims it draws up its training set, even if a dead process had done so."""
    async with database.transaction() as session:
        row = (await session.scalars(_next())).first()
        if row is None:
            return None
        claim = uuid4().hex
        claimed = update(CycleRow).where(CycleRow.id == row.id)
        await session.execute(claimed.values(started_at=now, claim=claim))
        return replace(cycle(row), claim=claim)


def _next() -> Select[CycleRow]:
    """The next open cycle. One that a dead process left behind is older than any request, and goes first."""
    return select(CycleRow).where(CycleRow.phase.in_(_OPEN)).order_by(CycleRow.id).limit(1)


_ANY = select(CycleRow.id).where(CycleRow.phase.in_(_OPEN)).limit(1)


async def update_progress(
    session: AsyncSession, held: Cycle, phase: Phase, progress: float, adapter: str | None
) -> None:
    known = func.coalesce(adapter, CycleRow.adapter)
    await _change(session, held, {"phase": phase, "progress": progress, "adapter": known}, lawful=True)


async def conclude(session: AsyncSession, held: Cycle, judged: Judged, now: datetime) -> None:
    verdict, champion = judged.verdict, judged.champion.name if judged.champion else None
    said = {"promoted": verdict.promoted, "reasons": list(verdict.reasons), "figures": dict(verdict.figures)}
    known = {"adapter": judged.candidate.name, "champion": champion}
    await _change(
        session, held, {"phase": Phase.DONE, "progress": 1.0, "concluded_at": now, **known, **said}, lawful=True
    )


async def fail(session: AsyncSession, held: Cycle, problem: str, now: datetime) -> None:
    await _change(session, held, {"phase": Phase.FAILED, "progress": 1.0, "concluded_at": now, "problem": problem})


async def _change(session: AsyncSession, held: Cycle, values: Mapping[str, object], lawful: bool = False) -> None:
    """Change the cycle if its claim still holds, compared in the same statement. Raises ClaimLost otherwise.

    `lawful`: raise Refused if a person whose words it learns from was forgotten meanwhile.
    """
    ours = update(CycleRow).where(CycleRow.id == held.id, CycleRow.phase.in_(_OPEN), CycleRow.claim == held.claim)
    found = (await session.execute(ours.values(**values).returning(CycleRow.forgotten_at))).first()
    if found is None:
        raise ClaimLost(f"learning cycle {held.id} is held by another process, or concluded")
    if lawful and found[0] is not None:
        raise Refused("somebody was forgotten while it trained; the next cycle trains without their texts")
    await announce(session, Change.CYCLE)


async def newest(session: AsyncSession, task: str, limit: int) -> list[Cycle]:
    wanted = select(CycleRow).where(CycleRow.task == task).order_by(CycleRow.id.desc()).limit(limit)
    return [cycle(row) for row in await session.scalars(wanted)]


async def looks(session: AsyncSession, task: str, since: datetime) -> int:
    """Count the looks since then. A verdict without a p-value compared nothing: there was too little data."""
    compared = CycleRow.figures.has_key("p_value")
    counted = select(func.count()).where(CycleRow.task == task, CycleRow.concluded_at >= since, compared)
    return (await session.execute(counted)).scalar_one()


def cycle(row: CycleRow) -> Cycle:
    verdict = None if row.promoted is None else Verdict(row.promoted, tuple(row.reasons), row.figures)
    return Cycle(row.id, row.task, row.requested_by, Phase(row.phase), row.progress, row.adapter, verdict, row.problem)
