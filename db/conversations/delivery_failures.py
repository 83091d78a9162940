"""Posts that will never be said, and what becomes of the posts that depended on them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.decisions import Decision
from bot.domain.ledger import Change
from bot.domain.posts import ON_THE_CARD, Card, FollowUp, Notice, OutboxItem, Post, What
from db.conversations.decisions import move
from db.engine import announce
from db.posts.cancel import PENDING, CancelReason, cancel_rewritings
from db.posts.enqueue import enqueue
from db.posts.latest import wordings
from db.reading import mappers
from db.tables import ConversationRow, MessageRow, PostRow


async def give_up(
    session: AsyncSession,
    item: OutboxItem,
    problem: str,
    now: datetime,
    posts: Sequence[Post],
    decision: Decision | None,
) -> None:
    """Give up the post. A card for another room is owed only if the team of this card still has the conversation.

    The team is told once that nothing reaches the person, until something reaches the person again.
    """
    talk = await _conversation(session, item)
    gone = update(PostRow).where(PostRow.id == item.id, PENDING).values(given_up_at=now, problem=problem)
    row = await session.scalar(gone.values(leased_until=None).returning(PostRow))
    if row is None:
        return
    await cancel_rewritings(session, [row.id], now)
    if talk is None or not any(isinstance(post.content, Card) for post in posts):
        await enqueue(session, row.conversation_id, [p for p in posts if not await _known(session, row, p)], now)
    elif await _concerns(session, row, talk):
        if decision is not None:
            await move(session, talk.id, decision, now)
        await enqueue(session, talk.id, posts, now)
        await _under_the_next(session, row, now)
    await announce(session, Change.OWED, Change.FREED)


async def _conversation(session: AsyncSession, item: OutboxItem) -> ConversationRow | None:
    """The post's conversation, locked before the post, in the order in which every step locks them."""
    of = await session.scalar(select(PostRow.conversation_id).where(PostRow.id == item.id))
    return None if of is None else await session.get(ConversationRow, of, with_for_update=True)


async def _known(session: AsyncSession, gone: PostRow, post: Post) -> bool:
    """Whether the team already knows that nothing reaches the person: nothing was said in that chat since it was
    told."""
    if not (isinstance(post.content, Notice) and post.content.what is What.UNREACHABLE):
        return False
    its = select(func.max(PostRow.id)).where(PostRow.conversation_id == gone.conversation_id)
    such = cast(PostRow.content, JSONB)["what"].astext == What.UNREACHABLE.value
    told = await session.scalar(its.where(PostRow.kind == Notice.__name__, such))
    there = and_(PostRow.platform == gone.platform, PostRow.chat == gone.chat, PostRow.said_at.is_not(None))
    reached = await session.scalar(its.where(there))
    return told is not None and (reached is None or reached < told)


async def _concerns(session: AsyncSession, row: PostRow, talk: ConversationRow) -> bool:
    """Whether the post is the card of the team that has the conversation, or was to be said under that card."""
    said = mappers.content(row)
    if isinstance(said, FollowUp) and row.under is not None:
        said = (await wordings(session, [row.under])).get(row.under, said)
    return isinstance(said, Card) and said.label == talk.label and talk.state in (State.ROUTED, State.CLOSED)


async def _under_the_next(session: AsyncSession, gone: PostRow, now: datetime) -> None:
    """Move posts that waited to be said under a card out of reach to the card that stands now."""
    card = gone.id if gone.under is None else gone.under
    waiting = select(PostRow).where(PostRow.under == card, PENDING).order_by(PostRow.id)
    found = (await session.scalars(waiting)).all()
    says = await wordings(session, [row.id for row in found])
    for row in found:
        old = mappers.post(row)
        again = Post(ON_THE_CARD, says[row.id], only_for=old.only_for, answers=old.answers)
        (new,) = await enqueue(session, row.conversation_id, [again], now)
        never = update(PostRow).where(PostRow.id == row.id)
        never = never.values(given_up_at=now, problem=CancelReason.ELSEWHERE.value)
        await session.execute(never.execution_options(synchronize_session=False))
        carried = update(MessageRow).where(MessageRow.conversation_id == row.conversation_id)
        carried = carried.where(MessageRow.carried_by == row.id).values(carried_by=new)
        await session.execute(carried.execution_options(synchronize_session=False))
    await cancel_rewritings(session, [row.id for row in found], now)
