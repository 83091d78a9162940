"""Posts that will never be said, and what becomes of what depended on them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.decisions import Decision
from bot.domain.ports import Change
from bot.domain.posts import ON_THE_CARD, Card, Owed, Post
from db import rows
from db.decided import move
from db.engine import announce
from db.owing import owe
from db.tables import ConversationRow, MessageRow, PostRow

_REWRITES = "what it rewrites was never said"
_CARD = "its card was never posted; said under the next one"


async def give_up(
    session: AsyncSession, owed: Owed, problem: str, now: datetime, posts: Sequence[Post], decision: Decision | None
) -> None:
    """A decision counts only while the conversation is where the card says it is: a lead may have moved it since."""
    talk = await _conversation(session, owed)
    gone = update(PostRow).where(PostRow.id == owed.id, _PENDING).values(given_up_at=now, problem=problem)
    row = await session.scalar(gone.values(leased_until=None).returning(PostRow))
    if row is None:
        return
    rewriting = update(PostRow).where(PostRow.edits == row.id, _PENDING).values(given_up_at=now, problem=_REWRITES)
    await session.execute(rewriting.execution_options(synchronize_session=False))
    if decision is None:
        await owe(session, row.conversation_id, posts, now)
    elif talk is not None and _concerns(row, talk):
        await move(session, talk.id, decision, now)
        await owe(session, talk.id, posts, now)
        await _under_the_next(session, row, now)
    await announce(session, Change.OWED, Change.FREED)


_PENDING: ColumnElement[bool] = and_(PostRow.said_at.is_(None), PostRow.given_up_at.is_(None))


async def _conversation(session: AsyncSession, owed: Owed) -> ConversationRow | None:
    """The post's conversation, locked before the post is, in the order in which every step locks them."""
    of = await session.scalar(select(PostRow.conversation_id).where(PostRow.id == owed.id))
    return None if of is None else await session.get(ConversationRow, of, with_for_update=True)


def _concerns(row: PostRow, talk: ConversationRow) -> bool:
    said = rows.content(row)
    return isinstance(said, Card) and said.label == talk.label and talk.state in (State.ROUTED, State.CLOSED)


async def _under_the_next(session: AsyncSession, card: PostRow, now: datetime) -> None:
    """What waited to be said under a card that will never be goes under the one that stands now."""
    waiting = select(PostRow).where(PostRow.under == card.id, _PENDING).order_by(PostRow.id)
    for row in (await session.scalars(waiting)).all():
        old = rows.post(row)
        again = Post(ON_THE_CARD, old.content, only_for=old.only_for, answers=old.answers)
        (new,) = await owe(session, row.conversation_id, [again], now)
        gone = update(PostRow).where(PostRow.id == row.id).values(given_up_at=now, problem=_CARD)
        await session.execute(gone.execution_options(synchronize_session=False))
        carried = update(MessageRow).where(MessageRow.conversation_id == row.conversation_id)
        carried = carried.where(MessageRow.carried_by == row.id).values(carried_by=new)
        await session.execute(carried.execution_options(synchronize_session=False))
