"""Rows to the domain's types."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import Conversation, State
from bot.domain.decisions import Author, Basis, Decision, Heard, Reason
from bot.domain.learning import Source
from bot.domain.messages import Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Content, Post
from db.reading.codec import decode, decode_media, decode_person
from db.tables import ConversationRow, DecisionRow, MessageRow, NoteRow, PostRow, PressRow, ReactionRow


def conversation(row: ConversationRow) -> Conversation:
    return Conversation(
        id=row.id,
        place=Place(row.platform, row.chat, row.thread),
        person=Person(row.platform, row.person_id, row.person_name, row.language, row.external),
        state=State(row.state),
        started=row.started_at,
        asked=row.asked,
        asked_for_words=row.asked_for_words,
        label=row.label,
        taken_by=row.taken_name or row.taken_by,
        reopened=row.reopened_at,
        wanted=row.wanted,
    )


def message(row: MessageRow) -> Message:
    return Message(
        ref=MessageRef(row.platform, row.chat, row.message_id),
        place=Place(row.platform, row.chat, row.thread),
        author=_author(row),
        text=row.text,
        at=row.at,
        media=decode_media(row.media),
        opens=row.opens,
    )


def note(row: NoteRow) -> Note:
    return Note(
        ref=MessageRef(row.platform, row.chat, row.message_id),
        under=MessageRef(row.platform, row.under_chat, row.under_id),
        author=_author(row),
        text=row.text,
        at=row.at,
        media=decode_media(row.media),
        send=row.send,
        heard=row.heard_at,
    )


def _author(row: MessageRow | NoteRow) -> Person:
    return Person(row.platform, row.author_id, row.author_name, row.language, row.external)


def reaction(row: ReactionRow) -> Reaction:
    ref = MessageRef(row.platform, row.chat, row.message_id)
    return Reaction(ref, _actor(row), row.emoji, row.added, row.at, row.heard_at, row.counted)


def press(row: PressRow) -> Press:
    return Press(MessageRef(row.platform, row.chat, row.message_id), _actor(row), row.value, row.at, row.heard_at)


def _actor(row: ReactionRow | PressRow) -> Person:
    elsewhere = row.actor_platform if isinstance(row, ReactionRow) else None
    return Person(elsewhere or row.platform, row.actor_id, row.actor_name, row.language, row.external)


def decision(row: DecisionRow) -> Decision:
    return Decision(
        task=row.task,
        label=row.label,
        by=Author(row.by),
        reason=Reason(row.reason),
        probabilities=row.probabilities,
        adapter=row.adapter,
        evidence=tuple(row.evidence),
        candidates=tuple(row.candidates),
        actor=row.actor,
        voices=tuple(_heard(one) for one in row.voices),
        language=row.language,
        rule=row.rule or "",
    )


def _heard(stored: dict[str, Any]) -> Heard:
    return Heard(stored["voice"], stored["label"], stored["probability"], stored["weight"])


def basis_of(source: str) -> Basis:
    """On whose word an example of this source has its label."""
    return {Source.CORRECTION: Basis.CORRECTION, Source.TAP: Basis.TAP}.get(Source(source), Basis.EXAMPLE)


def content(row: PostRow) -> Content:
    return decode(row.kind, row.content)


def place(row: PostRow) -> Place:
    return Place(row.platform, row.chat, row.thread)


def post(row: PostRow, wording: Content | None = None) -> Post:
    """The row as a post, with another wording if one is given."""
    answers = None
    if row.answers_chat is not None and row.answers_id is not None:
        answers = MessageRef(row.platform, row.answers_chat, row.answers_id)
    only_for = None if row.only_for is None else decode_person(row.only_for)
    return Post(place(row), wording or content(row), row.edits, row.under, only_for, answers)


def receipt(row: PostRow) -> MessageRef | None:
    """Where the post stands; None before it is said."""
    if row.receipt_chat is None or row.receipt_id is None:
        return None
    return MessageRef(row.platform, row.receipt_chat, row.receipt_id)


def standing_events(events: Iterable[ReactionRow]) -> list[ReactionRow]:
    """The events behind the reactions now in place, oldest first: the latest event of each emoji counts."""
    latest: dict[tuple[str | None, ...], ReactionRow] = {}
    for row in sorted(events, key=lambda event: (event.at, event.id)):
        latest[row.platform, row.chat, row.message_id, row.actor_platform, row.actor_id, row.emoji] = row
    return [row for row in sorted(latest.values(), key=lambda row: (row.at, row.id)) if row.added]


def standing(events: Iterable[ReactionRow]) -> list[Reaction]:
    """The reactions in place after all these events, oldest first."""
    return [reaction(row) for row in standing_events(events)]


async def own_messages(session: AsyncSession, conversation_ids: Sequence[int]) -> dict[int, tuple[Message, ...]]:
    """What the person of each conversation wrote in it, oldest first; deleted messages only if there are no others."""
    if not conversation_ids:
        return {}
    wanted = (
        select(MessageRow)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(MessageRow.conversation_id.in_(conversation_ids), MessageRow.author_id == ConversationRow.person_id)
        .order_by(MessageRow.at, MessageRow.id)
    )
    found: dict[int, list[MessageRow]] = {}
    for row in await session.scalars(wanted):
        found.setdefault(row.conversation_id, []).append(row)
    return {of: tuple(message(row) for row in _legible(rows)) for of, rows in found.items()}


def _legible(rows: list[MessageRow]) -> list[MessageRow]:
    return [row for row in rows if row.deleted_at is None] or rows
