"""What people write after the decision, to be relayed to the team."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.conversations import PendingFollowUp, State
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change
from bot.domain.posts import FollowUp, Post
from db.conversations.claims import LIMIT, NOW, free, held, lease, release
from db.conversations.ended import of_ended_teams
from db.conversations.failures import backs_off, readable
from db.engine import announce
from db.posts.enqueue import enqueue
from db.posts.latest import standing_cards
from db.posts.questions import asking
from db.reading import mappers
from db.tables import ConversationRow, MessageRow


async def claim_follow_ups(session: AsyncSession, now: datetime, limit: int) -> list[PendingFollowUp]:
    waiting = (await session.execute(_WAITING, {"now": now, "limit": limit})).all()
    # What was opened again for another team waits for the card there
    ended = await of_ended_teams(session, [row for _, row in waiting if row.state == State.ROUTED])
    found = [(said, row) for said, row in waiting if row.id not in ended]
    await lease(session, [row for _, row in found], now)
    return await readable(
        session, found, partial(_read, session), lambda row: ItemKey("relay", str(row[0].id), row[1].id), now
    )


async def _read(session: AsyncSession, found: Sequence[tuple[MessageRow, ConversationRow]]) -> list[PendingFollowUp]:
    ids = [row.id for _, row in found]
    cards, asked = await standing_cards(session, ids), await asking(session, ids)
    ended = await of_ended_teams(session, [row for _, row in found if row.state == State.CLOSED])
    return [
        PendingFollowUp(
            message=mappers.message(said),
            conversation=mappers.conversation(row),
            card=cards.get(row.id),
            asking=asked.get(row.id, ()),
            id=said.id,
            ended=row.id in ended,
        )
        for said, row in found
    ]


def _waiting(now: ColumnElement[datetime]) -> Select[MessageRow, ConversationRow]:
    """Each routed conversation's oldest message that was not relayed yet."""
    earlier = aliased(MessageRow)
    another = (
        exists()
        .where(earlier.conversation_id == ConversationRow.id, earlier.concluded_at.is_(None))
        .where(or_(earlier.at < MessageRow.at, and_(earlier.at == MessageRow.at, earlier.id < MessageRow.id)))
    )
    return (
        select(MessageRow, ConversationRow)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(ConversationRow.state.in_([State.ROUTED, State.CLOSED]), free(now))
        .where(MessageRow.concluded_at.is_(None), ~another, ~backs_off("relay", MessageRow.id, now))
        .order_by(MessageRow.at, MessageRow.id)
        .with_for_update(skip_locked=True, of=(MessageRow, ConversationRow))
    )


_WAITING = _waiting(NOW).limit(LIMIT)
"""Built once, so that it is compiled once."""


async def conclude_follow_up(
    session: AsyncSession,
    said: PendingFollowUp,
    posts: Sequence[Post],
    now: datetime,
    opens: bool = True,
    passed_on: bool = True,
) -> None:
    row = await held(session, said.conversation)
    if row is None:
        # Another team got it meanwhile, or the words changed: the next look reads the new state
        await release(session, said.conversation.id)
        await announce(session, Change.FREED)
        return
    ref = said.message.ref
    waiting = select(MessageRow.id).where(
        MessageRow.platform == ref.platform,
        MessageRow.chat == ref.chat,
        MessageRow.message_id == ref.id,
        MessageRow.concluded_at.is_(None),
    )
    message = await session.scalar(waiting.with_for_update())
    if message is None:
        return
    ids = await enqueue(session, row.id, posts, now)
    if passed_on:
        carrying = (post for one, post in zip(posts, ids, strict=True) if isinstance(one.content, FollowUp))
        relayed = update(MessageRow).where(MessageRow.id == message)
        await session.execute(relayed.values(concluded_at=now, carried_by=next(carrying, None)))
    if opens and row.state == State.CLOSED:
        await reopen(session, row.id, now)
    await release(session, row.id)
    await announce(session, Change.OWED, Change.FREED)


async def reopen(session: AsyncSession, conversation_id: int, now: datetime) -> None:
    """Reopen a closed conversation; its team has it again, with new time to take it."""
    again = update(ConversationRow).where(ConversationRow.id == conversation_id)
    opened = {"state": State.ROUTED, "closed_at": None, "reopened_at": now, "routed_at": now, "reminders": 0}
    await session.execute(again.values(**opened).execution_options(synchronize_session=False))
