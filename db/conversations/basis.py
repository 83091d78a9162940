"""What a correction teaches: the words that the lead read, and their vector where it is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import LeadLabel
from bot.domain.messages import MessageRef, joined
from bot.domain.model_ports import Vector
from bot.domain.posts import Card
from bot.domain.rich_text import plain
from db.reading import mappers
from db.tables import ConversationRow, MessageRow, PostRow


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of texts, and the name of the embedder that made them."""

    embedder: str = ""
    vectors: Mapping[str, Vector] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text that an example is made of. Without a vector it waits for the embedding backfill."""

    text: str
    vector: Vector | None = None
    embedder: str | None = None
    """The embedder that made the vector; None: there is none."""


async def lesson_of(
    session: AsyncSession, row: ConversationRow, said: LeadLabel, known: Embedded | None = None
) -> Lesson | None:
    """The conversation's text as the lead read it when they said this; None: its words were taken back or removed.

    On a card that is its wording in the chat at that moment, otherwise what the messages say now. The conversation's
    own vector is of the text that was decided on, and is left out where the lead read other words.
    """
    if row.text is None:
        return None
    return of_words(row, await _words_read(session, row, said), known)


def of_words(row: ConversationRow, words: str, known: Embedded | None = None) -> Lesson:
    """These words with a vector of their own: the conversation's if they were decided on, or one of those known."""
    if words == row.text:
        return Lesson(words, row.vector, row.embedder)
    vector = None if known is None else known.vectors.get(words)
    return Lesson(words, vector, None if known is None or vector is None else known.embedder)


async def _words_read(session: AsyncSession, row: ConversationRow, said: LeadLabel) -> str:
    card = None if said.on is None else await _card_then(session, row.id, said.on, said.heard or said.at)
    if card is None:
        return await _messages_now(session, row)
    # A card that says nothing of an edit shows what was decided on
    return plain(card.excerpt) if card.edited else row.text or ""


async def _card_then(session: AsyncSession, conversation: int, on: MessageRef, at: datetime) -> Card | None:
    """The card that stands there, as the chat showed it at that moment; None: that is no card of the conversation."""
    here = PostRow.platform == on.platform, PostRow.receipt_chat == on.chat, PostRow.receipt_id == on.id
    cards = select(PostRow.id).where(*here, PostRow.conversation_id == conversation, PostRow.edits.is_(None))
    post = await session.scalar(cards.where(PostRow.kind == Card.__name__).limit(1))
    if post is None:
        return None
    shown = or_(PostRow.id == post, PostRow.said_at <= at)
    every = select(PostRow).where(or_(PostRow.id == post, PostRow.edits == post), PostRow.given_up_at.is_(None), shown)
    newest = (await session.scalars(every.order_by(PostRow.id.desc()).limit(1))).first()
    said = None if newest is None else mappers.content(newest)
    return said if isinstance(said, Card) else None


async def _messages_now(session: AsyncSession, row: ConversationRow) -> str:
    """What the messages that the decision rests on say; all of its person's while there is no decision yet."""
    theirs = (
        select(MessageRow.text, MessageRow.decided)
        .where(MessageRow.conversation_id == row.id, MessageRow.author_id == row.person_id)
        .where(MessageRow.deleted_at.is_(None))
        .order_by(MessageRow.at, MessageRow.id)
    )
    found: Sequence[tuple[str, bool]] = [(text, decided) for text, decided in await session.execute(theirs)]
    decided = [text for text, counts in found if counts]
    return plain(joined(decided or [text for text, _ in found]))
