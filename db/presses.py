"""Buttons pressed on our questions, and what they meant."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, Update, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.domain.conversations import Pressed, State
from bot.domain.decisions import Author, Decision
from bot.domain.learning import Source
from bot.domain.ports import Change
from bot.domain.posts import Post, Question
from db.engine import announce
from db.lessons import Lesson, teach
from db.receipts import nobodys, on
from db.rows import content, conversation, free, held, lease, owe, own_messages, press, record, release
from db.tables import ConversationRow, MessageRow, PostRow, PressRow

_IS_QUESTION = and_(PostRow.kind == Question.__name__, PostRow.edits.is_(None))


async def claim_presses(session: AsyncSession, now: datetime, limit: int) -> list[Pressed]:
    ignored = update(PressRow).where(nobodys(PressRow, _IS_QUESTION, now))
    await session.execute(ignored.values(concluded_at=now))
    found = (await session.execute(_waiting(now).limit(limit))).all()
    rows = {row.id: row for _, row, _ in found}
    await lease(session, rows.values(), now)
    said = await own_messages(session, list(rows))
    pressed = []
    for fact, row, post in found:
        asked = await _wording(session, post.id)
        pressed.append(Pressed(fact.id, press(fact), conversation(row), said[row.id], post.id, asked))
    return pressed


def _waiting(now: datetime) -> Select[PressRow, ConversationRow, PostRow]:
    """Each conversation's oldest press."""
    earlier, its_post = aliased(PressRow), aliased(PostRow)
    another = (
        exists()
        .where(earlier.platform == its_post.platform, earlier.chat == its_post.receipt_chat)
        .where(earlier.message_id == its_post.receipt_id, its_post.conversation_id == ConversationRow.id)
        .where(its_post.kind == Question.__name__, its_post.edits.is_(None), earlier.concluded_at.is_(None))
        .where(or_(earlier.at < PressRow.at, and_(earlier.at == PressRow.at, earlier.id < PressRow.id)))
    )
    return (
        select(PressRow, ConversationRow, PostRow)
        .join(PostRow, on(PressRow))
        .join(ConversationRow, ConversationRow.id == PostRow.conversation_id)
        .where(PressRow.concluded_at.is_(None), _IS_QUESTION, free(now), ~another)
        .order_by(PressRow.at, PressRow.id)
        .with_for_update(skip_locked=True, of=(PressRow, ConversationRow))
    )


async def _wording(session: AsyncSession, question: int) -> Question:
    """What the question says by now."""
    newest = (
        select(PostRow)
        .where(or_(PostRow.id == question, PostRow.edits == question), PostRow.kind == Question.__name__)
        .order_by(PostRow.id.desc())
        .limit(1)
    )
    said = content((await session.scalars(newest)).one())
    if not isinstance(said, Question):
        raise TypeError(f"post {question} is no question")
    return said


async def conclude_press(
    session: AsyncSession, pressed: Pressed, decision: Decision | None, posts: Sequence[Post], now: datetime
) -> None:
    row = await held(session, pressed.conversation)
    if row is None:
        await release(session, pressed.conversation.id)
        return
    fresh = update(PressRow).where(PressRow.id == pressed.id, PressRow.concluded_at.is_(None))
    done = await session.execute(fresh.values(concluded_at=now).returning(PressRow.id))
    if done.first() is None:
        return
    if decision is not None:
        await _choose(session, row, pressed, decision, now)
    await owe(session, row.id, posts, now)
    await release(session, row.id)
    await announce(session, Change.OWED, Change.FREED)


async def _choose(
    session: AsyncSession, row: ConversationRow, pressed: Pressed, decision: Decision, now: datetime
) -> None:
    await record(session, row.id, decision, now)
    routed = update(ConversationRow).where(ConversationRow.id == row.id)
    await session.execute(routed.values(state=State.ROUTED, label=decision.label, version=ConversationRow.version + 1))
    await session.execute(_heard(pressed, now))
    if decision.by is Author.PERSON:
        await teach(session, row, Lesson(decision.task, decision.label, Source.TAP, pressed.press.at), now)


def _heard(pressed: Pressed, now: datetime) -> Update:
    """Only what was said before the press was read goes with the decision; anything newer is still to be relayed."""
    ids = [message.ref.id for message in pressed.messages]
    return (
        update(MessageRow)
        .where(MessageRow.conversation_id == pressed.conversation.id, MessageRow.message_id.in_(ids))
        .where(MessageRow.concluded_at.is_(None))
        .values(concluded_at=now)
    )
