"""Corrections and their lives: at which stage each is, which adapter learned it, and which the memory may retire."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.correction_life import CorrectionLife, Corrections
from bot.domain.guards import Held
from bot.domain.learning import Example, Side, Source
from bot.domain.ledger import Change
from db.conversations.held_back import LET_TEACH, lock_conversations, say_on_cards
from db.engine import Database, announce
from db.reading.correction_facts import facts_of, with_facts
from db.tables import ExampleRow


class PostgresCorrections:
    """The `correction_life.Corrections` port in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lives(self, task: str, limit: int) -> list[CorrectionLife]:
        columns = ExampleRow.id, ExampleRow.label, ExampleRow.lead, ExampleRow.recorded_at, ExampleRow.text
        newest = with_facts(*columns).where(ExampleRow.task == task).order_by(ExampleRow.id.desc()).limit(limit)
        async with self._database.transaction() as session:
            return [
                CorrectionLife(id, label, lead, at, facts_of(facts), text)
                for id, label, lead, at, text, *facts in await session.execute(newest)
            ]

    async def learned(self, task: str, adapter: str) -> Sequence[tuple[int, Example]]:
        async with self._database.transaction() as session:
            ids = await _learned(session, task, adapter)
            columns = ExampleRow.id, ExampleRow.text, ExampleRow.label, ExampleRow.at
            rows = await session.execute(select(*columns).where(ExampleRow.id.in_(ids)).order_by(ExampleRow.id))
            return [(id, Example(text, label, Source.CORRECTION, Side.TRAIN, at)) for id, text, label, at in rows]

    async def let_go(self, task: str, adapter: str, asked: Sequence[int], right: Sequence[int]) -> int:
        async with self._database.transaction() as session:
            # The pointer cannot move meanwhile: corrections are retired for the adapter that serves
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(task, 3))))
            still = set(await _learned(session, task, adapter))
            known = ExampleRow.id.in_([one for one in asked if one in still])
            by = case((ExampleRow.id.in_(list(right)), adapter))
            changes = and_(known, ExampleRow.retired_by.is_distinct_from(by))
            done = update(ExampleRow).where(changes).values(retired_by=by).execution_options(synchronize_session=False)
            found = (await session.scalars(done.returning(ExampleRow.retired_by))).all()
            if found:
                await announce(session, Change.EXAMPLE)
        return sum(one is not None for one in found)

    async def accept(self, example: int, by: str, now: datetime) -> bool:
        waiting = and_(ExampleRow.withdrawn_at.is_(None), ExampleRow.held.is_not(None))
        settled = update(ExampleRow).where(ExampleRow.id == example, waiting, ExampleRow.held != Held.DISPUTED)
        values = {**LET_TEACH, "recorded_at": now, "accepted_by": by}
        async with self._database.transaction() as session:
            await lock_conversations(session, ExampleRow.id == example)
            found = (await session.execute(settled.values(**values).returning(ExampleRow.conversation_id))).first()
            if found is not None:
                await say_on_cards(session, [id for id in found if id is not None], now)
                await announce(session, Change.EXAMPLE)
        return found is not None


async def _learned(session: AsyncSession, task: str, adapter: str) -> Sequence[int]:
    """Corrections of the adapter's training set that stand, if this adapter serves."""
    rows = with_facts(ExampleRow.id).where(ExampleRow.task == task, _stands()).order_by(ExampleRow.id)
    return [id for id, *facts in await session.execute(rows) if facts_of(facts).learned_by == adapter]


def _stands() -> ColumnElement[bool]:
    return and_(
        ExampleRow.withdrawn_at.is_(None),
        ~ExampleRow.quarantined,
        ExampleRow.side == Side.TRAIN,
        ExampleRow.text != "",
    )


_: type[Corrections] = PostgresCorrections
