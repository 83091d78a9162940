"""Turns a conversation that was no request into one."""

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
    again = {"state": State.NEW, "label": None, "resting": False, "closed_at": None, "wanted": True, "reopened_at": now}
    grown = {"version": ConversationRow.version + 1, "heard_at": now}
    changed = update(ConversationRow).where(ConversationRow.id == of).values(**again, **grown)
    await session.execute(changed.execution_options(synchronize_session=False))
    await announce(session, Change.MESSAGE)
    return True


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
