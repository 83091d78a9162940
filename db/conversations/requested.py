"""Turns a conversation that was no request into one: somebody says so, or its person is suspected."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.ledger import Change
from bot.domain.messages import MessageRef
from bot.domain.tasks import NOT_A_REQUEST
from db.conversations.examples import RULINGS, withdraw_example
from db.engine import announce
from db.tables import ConversationRow, CorrectionRow, MessageRow


async def make_request(session: AsyncSession, ref: MessageRef, now: datetime) -> bool:
    here = MessageRow.platform == ref.platform, MessageRow.chat == ref.chat, MessageRow.message_id == ref.id
    of = await session.scalar(select(MessageRow.conversation_id).where(*here, MessageRow.deleted_at.is_(None)))
    if of is None:
        return False
    row = await session.scalar(select(ConversationRow).where(ConversationRow.id == of).with_for_update())
    if row is None or not _is_none_yet(row):
        return row is not None
    await _withdraw(session, row, now)
    await _again(session, row, now)
    return True


async def look_at_suspect(session: AsyncSession, row: ConversationRow, now: datetime) -> None:
    """Have a team look at a conversation that was found to be no request, unless a lead said that it is none."""
    if row.state != State.CLOSED or row.label != NOT_A_REQUEST:
        return
    ruled = select(CorrectionRow.id).where(CorrectionRow.conversation_id == row.id, CorrectionRow.task == row.task)
    if await session.scalar(ruled.where(CorrectionRow.withdrawn_at.is_(None)).limit(1)) is None:
        await _again(session, row, now)


async def _again(session: AsyncSession, row: ConversationRow, now: datetime) -> None:
    """Have it decided again, with a team as the only answer."""
    again = {"state": State.NEW, "label": None, "resting": False, "closed_at": None, "wanted": True, "reopened_at": now}
    grown = {"version": ConversationRow.version + 1, "heard_at": now}
    changed = update(ConversationRow).where(ConversationRow.id == row.id).values(**again, **grown)
    await session.execute(changed.execution_options(synchronize_session=False))
    await announce(session, Change.MESSAGE)


def _is_none_yet(row: ConversationRow) -> bool:
    """Whether it was found to be no request, or is undecided, and nobody made a request of it before."""
    return (row.state == State.CLOSED and row.label == NOT_A_REQUEST) or (row.state == State.NEW and not row.wanted)


async def _withdraw(session: AsyncSession, row: ConversationRow, now: datetime) -> None:
    """Withdraw a lead's ruling that it is no request, and the example that ruling gave."""
    if row.task is None:
        return
    standing = CorrectionRow.conversation_id == row.id, CorrectionRow.task == row.task
    ruled = update(CorrectionRow).where(*standing, CorrectionRow.withdrawn_at.is_(None)).values(withdrawn_at=now)
    await session.execute(ruled.execution_options(synchronize_session=False))
    await withdraw_example(session, row.id, row.task, RULINGS, now)
