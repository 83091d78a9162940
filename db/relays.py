"""What people write after the decision, to be carried to the team."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.conversations import Next, State
from bot.domain.ports import Change
from bot.domain.posts import Post
from db import rows
from db.engine import announce
from db.tables import ConversationRow, MessageRow


async def claim_next(session: AsyncSession, now: datetime, limit: int) -> list[Next]:
    found = (await session.execute(_waiting(now).limit(limit))).all()
    await rows.lease(session, [row for _, row in found], now)
    cards = await rows.standing_cards(session, [row.id for _, row in found])
    return [Next(rows.message(said), rows.conversation(row), cards.get(row.id)) for said, row in found]


def _waiting(now: datetime) -> Select[MessageRow, ConversationRow]:
    """Each routed conversation's oldest message that was not relayed."""
    earlier = aliased(MessageRow)
    another = (
        exists()
        .where(earlier.conversation_id == ConversationRow.id, earlier.concluded_at.is_(None))
        .where(or_(earlier.at < MessageRow.at, and_(earlier.at == MessageRow.at, earlier.id < MessageRow.id)))
    )
    return (
        select(MessageRow, ConversationRow)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(ConversationRow.state.in_([State.ROUTED, State.CLOSED]), rows.free(now))
        .where(MessageRow.concluded_at.is_(None), ~another)
        .order_by(MessageRow.at, MessageRow.id)
        .with_for_update(skip_locked=True, of=(MessageRow, ConversationRow))
    )


async def conclude_next(session: AsyncSession, said: Next, posts: Sequence[Post], now: datetime) -> None:
    row = await rows.held(session, said.conversation)
    if row is None:
        # It went to another team meanwhile: the message belongs under the new card
        await rows.release(session, said.conversation.id)
        return
    ref = said.message.ref
    fresh = update(MessageRow).where(
        MessageRow.platform == ref.platform,
        MessageRow.chat == ref.chat,
        MessageRow.message_id == ref.id,
        MessageRow.concluded_at.is_(None),
    )
    done = await session.execute(fresh.values(concluded_at=now).returning(MessageRow.id))
    if done.first() is None:
        return
    await rows.owe(session, row.id, posts, now)
    await rows.release(session, row.id)
    await announce(session, Change.OWED, Change.FREED)
