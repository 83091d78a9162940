"""Which adapters must stop serving in time, because a person whose texts they learned was forgotten."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.canary import End
from bot.domain.ledger import Change
from bot.domain.posts import Post
from bot.domain.unlearning import Unlearning, Withdrawn
from db.conversations.taken_up import take_up_again
from db.engine import Database, announce
from db.posts.enqueue import enqueue
from db.reading.serving import NOBODY, lock_registry, over, serving
from db.tables import AdapterRow, CanaryRow, CycleRow, PromotionRow


class PostgresUnlearning:
    """Unlearning in PostgreSQL, in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, task: str, base: str, now: datetime) -> tuple[Withdrawn, ...]:
        async with self._database.transaction() as session:
            return await _due(session, task, base, now)  # without a lock, because this is asked every minute

    async def withdraw(
        self, task: str, base: str, gone: Sequence[Withdrawn], posts: Sequence[Post], now: datetime
    ) -> bool:
        async with self._database.transaction() as session:
            await lock_registry(session, task)
            if not gone or await _due(session, task, base, now) != tuple(gone):
                return False
            await _end_trials(session, task, now)
            champion = await serving(session, task, base)
            if champion is not None and over(champion, now):
                await _let_serve(session, task, gone[0], now)
            await enqueue(session, None, posts, now)
            await announce(session, Change.MODEL, Change.OWED)
            return True

    async def voided(self) -> tuple[str, ...]:
        named = select(CycleRow.adapter).where(CycleRow.forgotten_at.is_not(None), CycleRow.adapter.is_not(None))
        async with self._database.transaction() as session:
            return tuple(name for name in await session.scalars(named.distinct()) if name is not None)


async def _due(session: AsyncSession, task: str, base: str, now: datetime) -> tuple[Withdrawn, ...]:
    """The champion first."""
    champion = await serving(session, task, base)
    ends = champion is not None and over(champion, now)
    tried = (await session.scalars(_trials_over(task, now))).all()
    if champion is None or not (ends or tried):
        return tuple(Withdrawn(name, None) for name in tried)
    instead = await session.scalar(_earlier(task, base, now)) if ends else champion.name
    return tuple(Withdrawn(name, instead) for name in [*([champion.name] if ends else []), *tried])


async def _let_serve(session: AsyncSession, task: str, gone: Withdrawn, now: datetime) -> None:
    """Point to what serves instead. It has no predecessor, so that a rollback brings back nobody who may not serve."""
    instead = gone.instead or NOBODY
    move = {"task": task, "adapter": instead, "by": "erasure", "reason": _why(gone.adapter), "at": now}
    await session.execute(insert(PromotionRow).values(**move, previous=None))
    await take_up_again(session, task, instead)


def _trials_over(task: str, now: datetime) -> Select[str]:
    """Candidates that serve a share of the requests though their time is over."""
    same = and_(AdapterRow.task == CanaryRow.task, AdapterRow.name == CanaryRow.adapter)
    running = CanaryRow.task == task, CanaryRow.ended_at.is_(None), AdapterRow.retires_at <= now
    return select(CanaryRow.adapter).join(AdapterRow, same).where(*running)


async def _end_trials(session: AsyncSession, task: str, now: datetime) -> None:
    for adapter in (await session.scalars(_trials_over(task, now))).all():
        running = update(CanaryRow).where(CanaryRow.task == task, CanaryRow.ended_at.is_(None))
        over_now = running.values(ended_at=now, how=End.WITHDRAWN, reason=_why(adapter))
        await session.execute(over_now.execution_options(synchronize_session=False))


def _why(adapter: str) -> str:
    return f"{adapter} had learned from texts of somebody who was forgotten"


def _earlier(task: str, base: str, now: datetime) -> Select[str]:
    """Of the adapters that may serve, the one that served most recently."""
    served = select(func.max(PromotionRow.id)).where(
        PromotionRow.task == AdapterRow.task, PromotionRow.adapter == AdapterRow.name
    )
    latest = served.scalar_subquery()
    may_serve = or_(AdapterRow.retires_at.is_(None), AdapterRow.retires_at > now)
    wanted = select(AdapterRow.name).where(AdapterRow.task == task, AdapterRow.base == base, may_serve)
    return wanted.where(latest.is_not(None)).order_by(latest.desc()).limit(1)


_: type[Unlearning] = PostgresUnlearning
