"""Corrections that may be looked at a second time, and what became of the look."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, defer

from bot.domain.guards import ACTIVE, Held
from bot.domain.learning import Source
from bot.domain.ledger import Change
from bot.domain.model_ports import Vector
from bot.domain.second_look import MOST, PATIENCE, Ruling, SecondLooks, Verdicts
from db.conversations.guarded import same_words_by_another
from db.conversations.held_back import HELD_BACK, LET_TEACH, lock_conversations, say_on_cards
from db.engine import Database, announce
from db.tables import CorrectionRow, ExampleRow

_LONGEST = timedelta(days=365)
_AT_ONCE = 500
"""Vectors read at a time: reading them takes the event loop, a tenth of a second for a thousand."""


class PostgresSecondLooks:
    """See `second_look.SecondLooks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rulings(self, task: str, now: datetime) -> list[Ruling]:
        ruled = and_(
            CorrectionRow.conversation_id == ExampleRow.conversation_id,
            CorrectionRow.task == task,
            CorrectionRow.withdrawn_at.is_(None),
        )
        made = ExampleRow.recorded_at.between(now - _LONGEST, now - PATIENCE)
        mine = ExampleRow.task, ExampleRow.text_key, ExampleRow.label, ExampleRow.lead
        seconded = exists().where(same_words_by_another(aliased(ExampleRow), *mine))
        alone = and_(CorrectionRow.agreeing == 1, ~seconded)
        wanted = (
            select(ExampleRow, CorrectionRow.before)
            .options(defer(ExampleRow.vector))
            .join(CorrectionRow, ruled)
            .where(ExampleRow.task == task, _open(), made, alone, ExampleRow.text != "")
            .order_by(ExampleRow.recorded_at.desc(), ExampleRow.id.desc())
            .limit(MOST)
        )
        async with self._database.transaction() as session:
            if await _leads(session, task, now) < 2:
                return []
            rows = (await session.execute(wanted)).all()
            return [
                Ruling(
                    row.id,
                    row.lead or "",
                    before,
                    row.label,
                    row.text_key,
                    row.text,
                    held=row.held is not None,
                )
                for row, before in rows
            ]

    async def vectors(self, embedder: str, examples: Sequence[int]) -> Mapping[int, Vector]:
        found: dict[int, Vector] = {}
        async with self._database.transaction() as session:
            for start in range(0, len(examples), _AT_ONCE):
                some = ExampleRow.id.in_(examples[start : start + _AT_ONCE])
                wanted = select(ExampleRow.id, ExampleRow.vector).where(some, ExampleRow.embedder == embedder)
                found |= {id: vector for id, vector in await session.execute(wanted) if vector is not None}
        return found

    async def settle(self, task: str, verdicts: Verdicts, now: datetime) -> int:
        teaches, waits = ExampleRow.held.is_(None), ExampleRow.held == Held.CONTRADICTED
        free = {**LET_TEACH, "recorded_at": now}
        changed: list[int | None] = []
        async with self._database.transaction() as session:
            await lock_conversations(session, ExampleRow.id.in_((*verdicts.hold, *verdicts.free)))
            for examples, state, values in ((verdicts.hold, teaches, HELD_BACK), (verdicts.free, waits, free)):
                still = and_(ExampleRow.task == task, ExampleRow.id.in_(examples), _open(), state)
                done = update(ExampleRow).where(still).values(**values).returning(ExampleRow.conversation_id)
                changed += await session.scalars(done.execution_options(synchronize_session=False))
            if changed:
                await say_on_cards(session, [id for id in changed if id is not None], now)
                await announce(session, Change.EXAMPLE)
        return len(changed)


def _open() -> ColumnElement[bool]:
    """A lead's word that stands, that nobody accepted by command, and that waits for nothing else."""
    return and_(
        ExampleRow.source == Source.CORRECTION,
        ExampleRow.withdrawn_at.is_(None),
        ExampleRow.accepted_by.is_(None),
        or_(and_(ExampleRow.held.is_(None), ~ExampleRow.quarantined), ExampleRow.held == Held.CONTRADICTED),
    )


async def _leads(session: AsyncSession, task: str, now: datetime) -> int:
    """How many leads corrected lately, two at most: where there is one, nobody could be the second."""
    lately = and_(ExampleRow.source == Source.CORRECTION, ExampleRow.recorded_at > now - ACTIVE)
    told = select(ExampleRow.lead).where(ExampleRow.task == task, lately, ExampleRow.lead.is_not(None))
    return len((await session.scalars(told.distinct().limit(2))).all())


_: type[SecondLooks] = PostgresSecondLooks
