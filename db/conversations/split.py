"""Splits a conversation in two, when what a person wrote last is about another matter."""

from collections.abc import Sequence

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.ledger import Change
from bot.domain.messages import MessageRef
from db.engine import announce
from db.tables import ConversationRow, MessageRow


async def split_off(session: AsyncSession, row: ConversationRow, ref: MessageRef) -> None:
    """Give the message, and what its person wrote after it, a new conversation without a decision.

    What the first decision rests on stays. The caller holds the row's lock and keeps other messages out of the chat.
    """
    moving = (await session.scalars(_from(row, ref))).all()
    if not moving or not await _leaves_something(session, row, moving):
        return
    opened = insert(ConversationRow).values(
        platform=row.platform,
        chat=row.chat,
        thread=row.thread,
        person_id=row.person_id,
        person_name=row.person_name,
        language=row.language,
        external=row.external,
        state=State.NEW,
        started_at=moving[0].at,
        last_at=moving[-1].at,
        heard_at=row.heard_at,
        version=1,
        asked=False,
        asked_for_words=False,
        resting=False,
    )
    new = (await session.execute(opened.returning(ConversationRow.id))).scalar_one()
    moved = update(MessageRow).where(MessageRow.id.in_([message.id for message in moving]))
    # The posts that passed them on still show them: `carried_by` stays, so that an edit or a deletion reaches those,
    # too
    moved = moved.values(conversation_id=new, concluded_at=None, decided=False, stale=False)
    await session.execute(moved.execution_options(synchronize_session=False))
    await announce(session, Change.MESSAGE)


def _from(row: ConversationRow, ref: MessageRef) -> Select[MessageRow]:
    first = select(MessageRow.at, MessageRow.id).where(
        MessageRow.conversation_id == row.id,
        MessageRow.platform == ref.platform,
        MessageRow.chat == ref.chat,
        MessageRow.message_id == ref.id,
    )
    its = first.subquery()
    return (
        select(MessageRow)
        .join(its, MessageRow.at >= its.c.at)
        .where(MessageRow.conversation_id == row.id, MessageRow.author_id == row.person_id)
        .where(~MessageRow.decided, MessageRow.deleted_at.is_(None))
        .order_by(MessageRow.at, MessageRow.id)
    )


async def _leaves_something(session: AsyncSession, row: ConversationRow, moving: Sequence[MessageRow]) -> bool:
    stays = select(MessageRow.id).where(
        MessageRow.conversation_id == row.id,
        MessageRow.author_id == row.person_id,
        MessageRow.id.not_in([message.id for message in moving]),
    )
    return await session.scalar(stays.limit(1)) is not None
