"""One conversation is at one step at a time: the step that claims it keeps the others away for a while."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, DateTime, Integer, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import Conversation
from db.engine import claimant, forgettable
from db.tables import ConversationRow
from db.wrong_clocks import holds

LEASE = timedelta(seconds=60)
"""How long a claim holds before its work is claimed again; a claim ends sooner if its process dies (`db.processes`)."""
NOW: BindParameter[datetime] = bindparam("now", type_=DateTime(timezone=True))
LIMIT: BindParameter[int] = bindparam("limit", type_=Integer())
"""The parameters of a claiming statement. Steps look every second: building the statement for each look would cost more
processor time than running it."""


def free(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether no step holds the conversation."""
    return or_(ConversationRow.leased_until.is_(None), ~holds(ConversationRow.leased_until, now))


async def lease(session: AsyncSession, rows: Iterable[ConversationRow], now: datetime) -> None:
    """Keep every other step away from these conversations for a while (`LEASE`)."""
    ids = [row.id for row in rows]
    if ids:
        held = (
            update(ConversationRow)
            .where(ConversationRow.id.in_(ids))
            .values(leased_until=now + LEASE, claimed_at=now, claimed_by=claimant(session))
        )
        await session.execute(held.returning(forgettable()).execution_options(synchronize_session=False))


async def release(session: AsyncSession, conversation_id: int) -> None:
    done = update(ConversationRow).where(ConversationRow.id == conversation_id)
    await session.execute(done.values(leased_until=None).execution_options(synchronize_session=False))


async def held(session: AsyncSession, known: Conversation) -> ConversationRow | None:
    """The conversation's row, locked; None when it changed since it was claimed, so that a conclusion is stale.

    Its lease is taken away, too, when what the step knows of it was edited, deleted or erased since.
    """
    found = select(ConversationRow).where(ConversationRow.id == known.id).with_for_update()
    row = await session.scalar(found.execution_options(populate_existing=True))
    if row is None or row.leased_until is None:
        return None
    return row if (row.state, row.label) == (known.state, known.label) else None
