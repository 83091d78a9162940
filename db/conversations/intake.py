"""What platforms report becomes facts: messages in their conversations, reactions, presses."""

from datetime import datetime
from typing import cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    ScalarSelect,
    Select,
    Table,
    Update,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.messages import Message, MessageRef, Press, Reaction, chosen, clean
from bot.domain.ports import Change, ThreadingPolicy
from db.engine import announce, announcement
from db.reading.codec import encode_media
from db.tables import (
    MAX_NAME,
    ConversationRow,
    MessageRow,
    PostRow,
    PreferenceRow,
    PressRow,
    ReactionRow,
    storable,
)

_TALKS, _MESSAGES = cast(Table, ConversationRow.__table__), cast(Table, MessageRow.__table__)


async def add_message(session: AsyncSession, message: Message, policy: ThreadingPolicy) -> bool:
    await alone_in(session, message.ref.platform, message.ref.chat)
    known, joined = (await session.execute(select(_known(message.ref), _joined(message, policy)))).one()
    if known is not None and not await _numbered_anew(session, known, message):
        return False
    await session.execute(_opening(message) if joined is None else _joining(joined, message))
    return True


async def alone_in(session: AsyncSession, platform: str, chat: str) -> None:
    """Keep other messages out of this chat until the end of the transaction.

    Two messages of one burst may arrive at once: without this each would open a conversation.
    """
    key = func.hashtextextended(storable(f"{platform} {chat[:MAX_NAME]}"), 1)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


def _known(ref: MessageRef) -> ScalarSelect[int]:
    here = MessageRow.platform == ref.platform, MessageRow.chat == ref.chat, MessageRow.message_id == ref.id
    return select(MessageRow.id).where(*here).scalar_subquery()


async def _numbered_anew(session: AsyncSession, known: int, message: Message) -> bool:
    """Whether this is another message than the known one: a chat that was given another id may count from one again."""
    back = update(MessageRow).where(
        MessageRow.id == known, MessageRow.moved_from.is_not(None), MessageRow.at != message.at
    )
    restored = back.values(chat=MessageRow.moved_from, moved_from=None).returning(MessageRow.id)
    found = await session.execute(restored.execution_options(synchronize_session=False))
    return found.first() is not None


def _joined(message: Message, policy: ThreadingPolicy) -> ColumnElement[int | None]:
    """The conversation that a new message belongs to; None when it opens one."""
    if message.opens:
        return literal(None, BigInteger)
    newest = newest_of(message.place.platform, message.place.chat, message.author.id)
    if message.place.thread is None:
        return _alive(newest.where(ConversationRow.thread.is_(None)), message, policy).scalar_subquery()
    # A burst is one by its platform's clock, however late or fast we hear it
    since = message.at - policy.settle
    burst = newest.where(ConversationRow.state == State.NEW, ConversationRow.last_at >= since)
    return func.coalesce(
        _of_thread(message).scalar_subquery(), burst.with_only_columns(ConversationRow.id).scalar_subquery()
    )


def _alive(newest: Select[ConversationRow], message: Message, policy: ThreadingPolicy) -> Select[int]:
    """The conversation, unless it is over: what people wrote is timed by their platform, what we did by our clock."""
    row, now = newest.subquery(), _heard(message)
    closed = row.c.closed_at >= now - policy.reopen
    still = or_(row.c.last_at >= message.at - policy.idle, row.c.spoken_at >= now - policy.idle)
    return select(row.c.id).where(row.c.left_at.is_(None), case((row.c.state == State.CLOSED, closed), else_=still))


def _heard(fact: Message | Reaction | Press) -> datetime:
    """When it was taken in, by our own clock."""
    return fact.heard or fact.at


def newest_of(platform: str, chat: str, person_id: str) -> Select[ConversationRow]:
    """The newest conversation that somebody opened in a chat."""
    return (
        select(ConversationRow)
        .where(ConversationRow.platform == platform, ConversationRow.chat == chat)
        .where(ConversationRow.person_id == person_id)
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


def _opening(message: Message) -> Executable:
    """The message with a conversation of its own, in one statement."""
    place, author = message.place, message.author
    opened = insert(_TALKS).values(
        platform=place.platform,
        chat=place.chat,
        thread=place.thread,
        person_id=author.id,
        person_name=author.name,
        language=_language(message),
        external=author.external,
        state=State.NEW,
        started_at=message.at,
        last_at=message.at,
        heard_at=_heard(message),
        version=1,
        asked=False,
        asked_for_words=False,
        resting=False,
    )
    its = opened.returning(_TALKS.c.id).cte("opened")
    said = insert(_MESSAGES).values(**_values(message), conversation_id=select(its.c.id).scalar_subquery())
    return said.returning(announcement(Change.MESSAGE))


def _joining(conversation_id: int, message: Message) -> Executable:
    """The message in a conversation that there is already, in one statement."""
    said = insert(_MESSAGES).values(**_values(message), conversation_id=conversation_id)
    return said.add_cte(_grown(conversation_id, message).cte("grown")).returning(announcement(Change.NEXT))


def _language(message: Message) -> ColumnElement[str | None]:
    """What the author chose, or else what their platform reports."""
    author = message.author
    chose = select(PreferenceRow.language).where(
        PreferenceRow.platform == author.platform, PreferenceRow.person_id == author.id
    )
    return func.coalesce(chose.scalar_subquery(), author.language)


def _grown(conversation_id: int, message: Message) -> Update:
    """The conversation with one message more. Its person's name and language are what they wrote under last.

    One that was closed before anything was decided, for its words had been deleted, needs a decision now.
    """
    theirs = ConversationRow.person_id == message.author.id
    undecided = and_(ConversationRow.state == State.CLOSED, ConversationRow.label.is_(None))
    return (
        update(_TALKS)
        .where(_TALKS.c.id == conversation_id)
        .values(
            version=ConversationRow.version + 1,
            last_at=func.greatest(ConversationRow.last_at, message.at),
            heard_at=func.greatest(ConversationRow.heard_at, _heard(message)),
            resting=False,
            state=case((undecided, State.NEW), else_=ConversationRow.state),
            erased_at=None,
            person_name=case((theirs, message.author.name), else_=ConversationRow.person_name),
            language=case((theirs, _language(message)), else_=ConversationRow.language),
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
        "language": _language(message),
        "external": message.author.external,
        "text": clean(message.text),
        "media": encode_media(message.media),
        "opens": message.opens,
        "at": message.at,
    }


# --- what is done to posts ---


async def add_reaction(session: AsyncSession, reaction: Reaction) -> bool:
    if not await _our_business(session, reaction.ref, choice=chosen(reaction.emoji) is not None):
        return False
    return await store_reaction(session, reaction)


async def store_reaction(session: AsyncSession, reaction: Reaction) -> bool:
    """False: it was here before."""
    fact = insert(ReactionRow).values(**_by(reaction), emoji=reaction.emoji, added=reaction.added)
    return await _added(session, fact.on_conflict_do_nothing().returning(ReactionRow.id), Change.REACTION)


async def add_press(session: AsyncSession, press: Press) -> bool:
    if not await _our_business(session, press.ref):
        return False
    fact = insert(PressRow).values(**_by(press), value=press.value)
    return await _added(session, fact.on_conflict_do_nothing().returning(PressRow.id), Change.PRESS)


def _by(fact: Reaction | Press) -> dict[str, object]:
    return {
        "platform": fact.ref.platform,
        "chat": fact.ref.chat,
        "message_id": fact.ref.id,
        "actor_id": fact.actor.id,
        "actor_name": fact.actor.name,
        "language": fact.actor.language,
        "external": fact.actor.external,
        "at": fact.at,
        "heard_at": _heard(fact),
    }


async def _our_business(session: AsyncSession, ref: MessageRef, choice: bool = False) -> bool:
    """Whether we ever posted in that chat, said or about to be said: its receipt may still be on its way.

    A lead's choice is on a conversation's own message, where we may have said nothing yet.
    """
    there = select(PostRow.id).where(
        PostRow.platform == ref.platform, or_(PostRow.chat == ref.chat, PostRow.receipt_chat == ref.chat)
    )
    heard = select(MessageRow.id).where(
        MessageRow.platform == ref.platform, MessageRow.chat == ref.chat, MessageRow.message_id == ref.id
    )
    ours = or_(there.limit(1).exists(), heard.exists() if choice else false())
    return bool(await session.scalar(select(ours)))


async def _added(session: AsyncSession, fact: Executable, change: Change) -> bool:
    new = (await session.execute(fact)).first() is not None
    if new:
        await announce(session, change)
    return bool(new)
