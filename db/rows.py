"""Rows to the domain's words and back, and what several steps read alike."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import Conversation, StandingCard, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Message, MessageRef, Person, Place, Press, Reaction
from bot.domain.posts import Card, Content, Post
from db.content import decode, encode
from db.engine import forgettable
from db.tables import ConversationRow, DecisionRow, MessageRow, PostRow, PressRow, ReactionRow

LEASE = timedelta(seconds=60)
"""How long a claim holds; after that its work is claimed again."""


# --- rows to words ---


def conversation(row: ConversationRow) -> Conversation:
    return Conversation(
        id=row.id,
        place=Place(row.platform, row.chat, row.thread),
        person=Person(row.platform, row.person_id, row.person_name, row.language),
        state=State(row.state),
        started=row.started_at,
        asked=row.asked,
        asked_for_words=row.asked_for_words,
        label=row.label,
    )


def message(row: MessageRow) -> Message:
    return Message(
        ref=MessageRef(row.platform, row.chat, row.message_id),
        place=Place(row.platform, row.chat, row.thread),
        author=Person(row.platform, row.author_id, row.author_name, row.language),
        text=row.text,
        at=row.at,
    )


def reaction(row: ReactionRow) -> Reaction:
    ref = MessageRef(row.platform, row.chat, row.message_id)
    actor = Person(row.platform, row.actor_id, row.actor_name, row.language)
    return Reaction(ref, actor, row.emoji, row.added, row.at)


def press(row: PressRow) -> Press:
    ref = MessageRef(row.platform, row.chat, row.message_id)
    return Press(ref, Person(row.platform, row.actor_id, row.actor_name, row.language), row.value, row.at)


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
    )


def content(row: PostRow) -> Content:
    return decode(row.kind, row.content)


def post(row: PostRow, wording: Content | None = None) -> Post:
    """The post, in another wording if one is given."""
    return Post(Place(row.platform, row.chat, row.thread), wording or content(row), row.edits, row.under)


# --- work ---


def free(now: datetime) -> ColumnElement[bool]:
    """Whether nobody is at work on a conversation."""
    return or_(ConversationRow.leased_until.is_(None), ConversationRow.leased_until <= now)


async def lease(session: AsyncSession, rows: Iterable[ConversationRow], now: datetime) -> None:
    """Keep every other step away from these conversations, for a while."""
    ids = [row.id for row in rows]
    if ids:
        await forgettable(session)
        held = update(ConversationRow).where(ConversationRow.id.in_(ids))
        await session.execute(held.values(leased_until=now + LEASE, claimed_at=now))


async def release(session: AsyncSession, conversation_id: int) -> None:
    done = update(ConversationRow).where(ConversationRow.id == conversation_id)
    await session.execute(done.values(leased_until=None))


async def held(session: AsyncSession, known: Conversation) -> ConversationRow | None:
    """The conversation's row, locked; None when it moved on since it was claimed, so that a conclusion is stale."""
    found = select(ConversationRow).where(ConversationRow.id == known.id).with_for_update()
    row = await session.scalar(found)
    return row if row is not None and (row.state, row.label) == (known.state, known.label) else None


# --- what several steps read ---


async def own_messages(session: AsyncSession, conversation_ids: Sequence[int]) -> dict[int, tuple[Message, ...]]:
    """What the person of each conversation wrote in it, oldest first."""
    if not conversation_ids:
        return {}
    wanted = (
        select(MessageRow)
        .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
        .where(MessageRow.conversation_id.in_(conversation_ids), MessageRow.author_id == ConversationRow.person_id)
        .order_by(MessageRow.at, MessageRow.id)
    )
    found: dict[int, tuple[Message, ...]] = {}
    for row in await session.scalars(wanted):
        found[row.conversation_id] = (*found.get(row.conversation_id, ()), message(row))
    return found


def _cards(conversation_ids: Sequence[int]) -> Select[PostRow]:
    return (
        select(PostRow)
        .where(PostRow.conversation_id.in_(conversation_ids), PostRow.kind == Card.__name__)
        .where(PostRow.given_up_at.is_(None))
        .order_by(PostRow.id)
    )


async def standing_cards(session: AsyncSession, conversation_ids: Sequence[int]) -> dict[int, StandingCard]:
    """The newest card of each conversation that was not struck, in its newest wording."""
    if not conversation_ids:
        return {}
    originals: dict[int, PostRow] = {}
    wordings: dict[int, Card] = {}
    for row in await session.scalars(_cards(conversation_ids)):
        said = content(row)
        if row.edits is None:
            originals[row.id] = row
        if isinstance(said, Card):
            wordings[row.edits or row.id] = said
    return {
        row.conversation_id: StandingCard(row.id, Place(row.platform, row.chat, row.thread), wordings[row.id])
        for row in originals.values()
        if row.conversation_id is not None and wordings[row.id].moved_to is None
    }


def standing(events: Iterable[ReactionRow]) -> list[Reaction]:
    """The reactions in place after all these events, oldest first: the latest event of each emoji counts."""
    latest: dict[tuple[str, ...], ReactionRow] = {}
    for row in sorted(events, key=lambda event: (event.at, event.id)):
        latest[row.platform, row.chat, row.message_id, row.actor_id, row.emoji] = row
    return [reaction(row) for row in sorted(latest.values(), key=lambda row: (row.at, row.id)) if row.added]


# --- what several steps write ---


async def record(session: AsyncSession, conversation_id: int, made: Decision, at: datetime) -> None:
    """Add a decision to the audit trail."""
    values = {
        "conversation_id": conversation_id,
        "task": made.task,
        "label": made.label,
        "by": made.by,
        "reason": made.reason,
        "probabilities": dict(made.probabilities),
        "adapter": made.adapter,
        "evidence": list(made.evidence),
        "candidates": list(made.candidates),
        "actor": made.actor,
        "at": at,
    }
    await session.execute(insert(DecisionRow).values(values))


async def owe(session: AsyncSession, conversation_id: int | None, posts: Sequence[Post], at: datetime) -> None:
    """Put posts into the outbox, in order."""
    if posts:
        await session.execute(insert(PostRow).values([_owed(conversation_id, owed, at) for owed in posts]))


def _owed(conversation_id: int | None, owed: Post, at: datetime) -> dict[str, object]:
    kind, stored = encode(owed.content)
    return {
        "conversation_id": conversation_id,
        "platform": owed.place.platform,
        "chat": owed.place.chat,
        "thread": owed.place.thread,
        "kind": kind,
        "content": stored,
        "edits": owed.edits,
        "under": owed.under,
        "owed_at": at,
        "not_before": at,
        "attempts": 0,
    }
