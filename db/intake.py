"""What platforms report becomes facts: messages in their conversations, reactions, presses."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Executable, Select, Update, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.messages import Message, MessageRef, Press, Reaction, clean
from bot.domain.ports import Change
from db.engine import announce
from db.tables import MAX_NAME, ConversationRow, MessageRow, PostRow, PressRow, ReactionRow, storable


async def add_message(session: AsyncSession, message: Message, settle: timedelta, idle: timedelta) -> bool:
    # Two messages of one burst may arrive at once: without the lock each would open a conversation
    await session.execute(select(func.pg_advisory_xact_lock(_lock_of(message.ref))))
    if await session.scalar(_known(message.ref)) is not None:
        return False
    joined = await _conversation_of(session, message, settle, idle)
    conversation = await _opened(session, message) if joined is None else joined
    if joined is not None:
        await session.execute(_grown(joined, message))
    await session.execute(insert(MessageRow).values(**_values(message), conversation_id=conversation))
    await announce(session, Change.MESSAGE if joined is None else Change.NEXT)
    return True


def _lock_of(ref: MessageRef) -> ColumnElement[int]:
    return func.hashtextextended(storable(f"{ref.platform} {ref.chat[:MAX_NAME]}"), 1)


def _known(ref: MessageRef) -> Select[int]:
    return select(MessageRow.id).where(
        MessageRow.platform == ref.platform, MessageRow.chat == ref.chat, MessageRow.message_id == ref.id
    )


async def _conversation_of(session: AsyncSession, message: Message, settle: timedelta, idle: timedelta) -> int | None:
    """The conversation that a new message belongs to; None when it opens one."""
    if message.place.thread is None:
        newest = (await session.scalars(_newest(message).where(ConversationRow.thread.is_(None)))).first()
        return newest.id if newest is not None and _alive(newest, message, idle) else None
    joined = await session.scalar(_of_thread(message))
    if joined is not None:
        return joined
    burst = _newest(message).where(ConversationRow.state == State.NEW, ConversationRow.last_at >= message.at - settle)
    found = (await session.scalars(burst)).first()
    return found.id if found is not None else None


def _alive(row: ConversationRow, message: Message, idle: timedelta) -> bool:
    return row.state != State.CLOSED and row.last_at >= message.at - idle


def _newest(message: Message) -> Select[ConversationRow]:
    """The conversations that the author opened in the chat, newest first."""
    return (
        select(ConversationRow)
        .where(ConversationRow.platform == message.place.platform, ConversationRow.chat == message.place.chat)
        .where(ConversationRow.person_id == message.author.id)
        .order_by(ConversationRow.id.desc())
        .limit(1)
    )


def _of_thread(message: Message) -> Select[int]:
    place = message.place
    return (
        select(MessageRow.conversation_id)
        .where(MessageRow.platform == place.platform, MessageRow.chat == place.chat)
        .where(MessageRow.thread == place.thread)
        .order_by(MessageRow.id.desc())
        .limit(1)
    )


async def _opened(session: AsyncSession, message: Message) -> int:
    place, author = message.place, message.author
    opened = insert(ConversationRow).values(
        platform=place.platform,
        chat=place.chat,
        thread=place.thread,
        person_id=author.id,
        person_name=author.name,
        language=author.language,
        state=State.NEW,
        started_at=message.at,
        last_at=message.at,
        version=1,
        asked=False,
        asked_for_words=False,
        resting=False,
    )
    return (await session.execute(opened.returning(ConversationRow.id))).scalar_one()


def _grown(conversation_id: int, message: Message) -> Update:
    """The conversation with one message more. Its person's name and language are what they wrote under last."""
    theirs = ConversationRow.person_id == message.author.id
    return (
        update(ConversationRow)
        .where(ConversationRow.id == conversation_id)
        .values(
            version=ConversationRow.version + 1,
            last_at=func.greatest(ConversationRow.last_at, message.at),
            resting=False,
            person_name=case((theirs, message.author.name), else_=ConversationRow.person_name),
            language=case((theirs, message.author.language), else_=ConversationRow.language),
        )
    )


def _values(message: Message) -> dict[str, object]:
    return {
        "platform": message.ref.platform,
        "chat": message.ref.chat,
        "message_id": message.ref.id,
        "thread": message.place.thread,
        "author_id": message.author.id,
        "author_name": message.author.name,
        "language": message.author.language,
        "text": clean(message.text),
        "at": message.at,
    }


async def add_reaction(session: AsyncSession, reaction: Reaction) -> bool:
    if not await _our_business(session, reaction.ref):
        return False
    fact = insert(ReactionRow).values(**_by(reaction), emoji=reaction.emoji, added=reaction.added, at=reaction.at)
    return await _added(session, fact.on_conflict_do_nothing().returning(ReactionRow.id), Change.REACTION)


async def add_press(session: AsyncSession, press: Press) -> bool:
    if not await _our_business(session, press.ref):
        return False
    fact = insert(PressRow).values(**_by(press), value=press.value, at=press.at)
    return await _added(session, fact.on_conflict_do_nothing().returning(PressRow.id), Change.PRESS)


def _by(fact: Reaction | Press) -> dict[str, object]:
    return {
        "platform": fact.ref.platform,
        "chat": fact.ref.chat,
        "message_id": fact.ref.id,
        "actor_id": fact.actor.id,
        "actor_name": fact.actor.name,
        "language": fact.actor.language,
    }


async def _our_business(session: AsyncSession, ref: MessageRef) -> bool:
    """Whether we ever posted in that chat, said or about to be said: its receipt may still be on its way."""
    there = select(PostRow.id).where(
        PostRow.platform == ref.platform, or_(PostRow.chat == ref.chat, PostRow.receipt_chat == ref.chat)
    )
    return await session.scalar(there.limit(1)) is not None


async def _added(session: AsyncSession, fact: Executable, change: Change) -> bool:
    new = (await session.execute(fact)).first() is not None
    if new:
        await announce(session, change)
    return bool(new)
