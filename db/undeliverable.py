"""Posts that will never be said, and what becomes of what depended on them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.decisions import Decision
from bot.domain.ports import Change
from bot.domain.posts import ON_THE_CARD, Card, FollowUp, Owed, Post
from db import rows
from db.cards import wordings
from db.decided import move
from db.dropping import PENDING, Superfluous, drop_rewritings
from db.engine import announce
from db.owing import owe
from db.tables import ConversationRow, MessageRow, PostRow


async def give_up(
    session: AsyncSession, owed: Owed, problem: str, now: datetime, posts: Sequence[Post], decision: Decision | None
) -> None:
    """A decision counts only while the conversation is where the card says it is: a lead may have moved it since."""
    talk = await _conversation(session, owed)
    gone = update(PostRow).where(PostRow.id == owed.id, PENDING).values(given_up_at=now, problem=problem)
    row = await session.scalar(gone.values(leased_until=None).returning(PostRow))
    if row is None:
        return
    await drop_rewritings(session, [row.id], now)
    if decision is None:
        await owe(session, row.conversation_id, posts, now)
    elif talk is not None and await _concerns(session, row, talk):
        await move(session, talk.id, decision, now)
        await owe(session, talk.id, posts, now)
        await _under_the_next(session, row, now)
    await announce(session, Change.OWED, Change.FREED)


async def _conversation(session: AsyncSession, owed: Owed) -> ConversationRow | None:
    """The post's conversation, locked before the post is, in the order in which every step locks them."""
    of = await session.scalar(select(PostRow.conversation_id).where(PostRow.id == owed.id))
    return None if of is None else await session.get(ConversationRow, of, with_for_update=True)


async def _concerns(session: AsyncSession, row: PostRow, talk: ConversationRow) -> bool:
    """Whether the post is the card of the team that has it, or was to be said under that card."""
    said = rows.content(row)
    if isinstance(said, FollowUp) and row.under is not None:
        said = (await wordings(session, [row.under])).get(row.under, said)
    return isinstance(said, Card) and said.label == talk.label and talk.state in (State.ROUTED, State.CLOSED)


async def _under_the_next(session: AsyncSession, gone: PostRow, now: datetime) -> None:
    """What waited to be said under a card that is out of reach goes under the one that stands now."""
    card = gone.id if gone.under is None else gone.under
    waiting = select(PostRow).where(PostRow.under == card, PENDING).order_by(PostRow.id)
    found = (await session.scalars(waiting)).all()
    says = await wordings(session, [row.id for row in found])
    for row in found:
        old = rows.post(row)
        again = Post(ON_THE_CARD, says[row.id], only_for=old.only_for, answers=old.answers)
        (new,) = await owe(session, row.conversation_id, [again], now)
        never = update(PostRow).where(PostRow.id == row.id)
        never = never.values(given_up_at=now, problem=Superfluous.ELSEWHERE.value)
        await session.execute(never.execution_options(synchronize_session=False))
        carried = update(MessageRow).where(MessageRow.conversation_id == row.conversation_id)
        carried = carried.where(MessageRow.carried_by == row.id).values(carried_by=new)
        await session.execute(carried.execution_options(synchronize_session=False))
    await drop_rewritings(session, [row.id for row in found], now)
