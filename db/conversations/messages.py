"""Assigns messages to conversations, or opens new ones: all at once, in as few statements as for a single message."""

import json
from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.citations import named_in
from bot.domain.ledger import Change, Stored, ThreadingPolicy
from bot.domain.messages import Message, clean
from db.conversations.message_statements import ALONE, FOUND, JOINING, OPENING
from db.reading.codec import encode_media
from db.tables import MAX_NAME, ConversationRow, MessageRow, storable

T = TypeVar("T")


async def add_messages(session: AsyncSession, messages: Sequence[Message], policy: ThreadingPolicy) -> list[Stored]:
    """Store the messages in order, as if one after the other; return the outcome of each."""
    if not messages:
        return []
    await _keep_out(session, {_chat_key(message.ref.platform, message.ref.chat) for message in messages})
    outcomes = [Stored(new=False)] * len(messages)
    for wave in _waves([(number, _keys(message)) for number, message in enumerate(messages)]):
        stored = await _add_apart(session, [messages[number] for number in wave], policy)
        for number, outcome in zip(wave, stored, strict=True):
            outcomes[number] = outcome
    return outcomes


async def alone_in(session: AsyncSession, platform: str, chat: str) -> None:
    """Keep other messages out of this chat until the end of the transaction.

    Two messages of one burst may arrive at once: without this each would open a conversation.
    """
    await _keep_out(session, {_chat_key(platform, chat)})


def newest_of(platform: str, chat: str, person_id: str) -> Select[ConversationRow]:
    """The newest conversation that the person opened in the chat."""
    return (
        select(ConversationRow)
        .where(ConversationRow.platform == platform, ConversationRow.chat == chat)
        .where(ConversationRow.person_id == person_id)
        .order_by(ConversationRow.id.desc())
        .limit(1)
    )


def _chat_key(platform: str, chat: str) -> str:
    return storable(f"{platform} {chat[:MAX_NAME]}")


async def _keep_out(session: AsyncSession, keys: set[str]) -> None:
    await session.execute(ALONE, {"keys": sorted(keys)})


def _keys(message: Message) -> set[tuple[str, ...]]:
    """What decides where a message belongs: a message that shares a key with an earlier one is stored after it."""
    ref, place = message.ref, message.place
    keys: set[tuple[str, ...]] = {
        ("ref", ref.platform, ref.chat, ref.id),
        ("by", place.platform, place.chat, message.author.id),
    }
    return keys if place.thread is None else keys | {("in", place.platform, place.chat, place.thread)}


def _waves(wanted: Sequence[tuple[T, set[tuple[str, ...]]]]) -> list[list[T]]:
    """The same in groups: no two in a group share a key, and of two that do, the earlier is in an earlier group."""
    waves: list[list[T]] = []
    last: dict[tuple[str, ...], int] = {}
    for one, keys in wanted:
        number = max((last[key] + 1 for key in keys if key in last), default=0)
        last |= dict.fromkeys(keys, number)
        if number == len(waves):
            waves.append([])
        waves[number].append(one)
    return waves


async def _add_apart(session: AsyncSession, messages: Sequence[Message], policy: ThreadingPolicy) -> list[Stored]:
    """Store messages that do not depend on each other; return the outcome of each."""
    times = {"settle": policy.settle, "idle": policy.idle, "reopen": policy.reopen}
    found = (await session.execute(FOUND, _arrays(messages) | times)).all()
    new = [
        known is None or (another and await _numbered_anew(session, known, message))
        for message, (known, another, _) in zip(messages, found, strict=True)
    ]
    rows = [(message, joined) for message, is_new, (_, _, joined) in zip(messages, new, found, strict=True) if is_new]
    opening = [message for message, joined in rows if joined is None]
    opened: dict[tuple[str, str, str], int] = {}
    if opening:
        stored = await session.execute(OPENING, {**_arrays(opening), "change": Change.MESSAGE.value})
        opened = {(platform, chat, id): number for number, platform, chat, id, _ in stored.all()}
    joining: list[tuple[tuple[Message, int], set[tuple[str, ...]]]] = [
        ((message, joined), {(str(joined),)}) for message, joined in rows if joined is not None
    ]
    for wave in _waves(joining):
        into: dict[str, object] = {"conversation": [joined for _, joined in wave]}
        arrays = _arrays(message for message, _ in wave)
        await session.execute(JOINING, {**arrays, **into, "change": Change.NEXT.value})
    return [
        Stored(is_new, (joined or opened[_ref(message)]) if is_new else None, is_new and joined is None)
        for message, is_new, (_, _, joined) in zip(messages, new, found, strict=True)
    ]


def _ref(message: Message) -> tuple[str, str, str]:
    """The message's key, as it is stored."""
    return _name(message.ref.platform), _name(message.ref.chat), _name(message.ref.id)


async def _numbered_anew(session: AsyncSession, known: int, message: Message) -> bool:
    """Whether this differs from the stored message: a chat that got another id may number its messages from 1 again."""
    back = update(MessageRow).where(
        MessageRow.id == known, MessageRow.moved_from.is_not(None), MessageRow.at != message.at
    )
    restored = back.values(chat=MessageRow.moved_from, moved_from=None).returning(MessageRow.id)
    found = await session.execute(restored.execution_options(synchronize_session=False))
    return found.first() is not None


def _arrays(messages: Iterable[Message]) -> dict[str, list[object]]:
    """The messages' values as one array for each column."""
    rows = [_values(message) for message in messages]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _values(message: Message) -> dict[str, object]:
    return {
        "platform": _name(message.ref.platform),
        "chat": _name(message.ref.chat),
        "message_id": _name(message.ref.id),
        "thread": None if message.place.thread is None else _name(message.place.thread),
        "author_id": _name(message.author.id),
        "author_name": _name(message.author.name),
        "language": None if message.author.language is None else _name(message.author.language),
        "external": message.author.external,
        "text": clean(message.text),
        "media": json.dumps(encode_media(message.media)),
        "cites": json.dumps([storable(key) for key in named_in(message.text, message.media)]),
        "opens": message.opens,
        "at": message.at,
        "heard": message.heard or message.at,
        "conversation": None,
    }


def _name(written: str) -> str:
    return storable(written)[:MAX_NAME]
