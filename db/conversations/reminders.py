"""Conversations that nobody takes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Select, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import OverdueConversation, State
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.posts import Post
from db.conversations.claims import free, held, lease, release
from db.conversations.failures import backs_off, readable
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import standing_cards
from db.reading import mappers
from db.tables import ConversationRow, NoteRow

_MOST = 2
"""The most reminders for one conversation: the team's, then the fallback's."""
_PAUSE = timedelta(minutes=1)
"""When to look again at a conversation that needed no reminder."""
_ANSWERED = exists().where(NoteRow.conversation_id == ConversationRow.id, NoteRow.sent_at >= ConversationRow.routed_at)
"""The team has sent the person something: whoever answers has taken the conversation, with or without an emoji."""


async def claim_overdue(
    session: AsyncSession, now: datetime, after: timedelta, limit: int
) -> list[OverdueConversation]:
    found = (await session.scalars(_waiting(now, after).limit(limit))).all()
    await lease(session, found, now)
    return await readable(
        session, found, partial(_read, session), lambda row: ItemKey("remind", str(row.id), row.id), now
    )


async def _read(session: AsyncSession, found: Sequence[ConversationRow]) -> list[OverdueConversation]:
    cards = await standing_cards(session, [row.id for row in found])
    return [
        OverdueConversation(
            mappers.conversation(row),
            cards.get(row.id),
            row.routed_at or row.started_at,
            row.reminders,
            None if row.take_seconds is None else timedelta(seconds=row.take_seconds),
        )
        for row in found
    ]


def _waiting(now: datetime, after: timedelta) -> Select[ConversationRow]:
    row = ConversationRow
    usual = or_(*(and_(row.reminders == sent, row.routed_at <= now - after * (sent + 1)) for sent in range(_MOST)))
    own = func.make_interval(0, 0, 0, 0, 0, 0, row.take_seconds * (row.reminders + 1))
    sooner = and_(row.take_seconds < after.total_seconds(), row.reminders < _MOST, row.routed_at <= now - own)
    due = or_(usual, sooner)
    return (
        select(row)
        .where(row.state == State.ROUTED, row.taken_by.is_(None), due, free(now))
        .where(func.coalesce(row.remind_after, now) <= now, ~_ANSWERED, ~backs_off("remind", row.id, now))
        .order_by(row.comes_first.desc(), row.routed_at, row.id)
        .with_for_update(skip_locked=True)
    )


async def conclude_reminder(
    session: AsyncSession, waiting: OverdueConversation, posts: Sequence[Post], now: datetime
) -> None:
    row = await held(session, waiting.conversation)
    if row is None or row.taken_by is not None:
        await release(session, waiting.conversation.id)
        await announce(session, Change.FREED)
        return
    if row.reminders != waiting.reminders:
        return
    reminded = {"reminders": row.reminders + 1} if posts else {"remind_after": now + _PAUSE}
    marked = update(ConversationRow).where(ConversationRow.id == row.id).values(**reminded)
    await session.execute(marked.execution_options(synchronize_session=False))
    await enqueue(session, row.id, posts, now)
    await release(session, row.id)
    await announce(session, Change.OWED, Change.FREED)
