"""What a correction teaches: the words that the lead read, and their vector where it is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import BigInteger, any_, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import LeadLabel
from bot.domain.learning import Source
from bot.domain.messages import MessageRef, joined
from bot.domain.model_ports import Vector
from bot.domain.posts import Card
from bot.domain.rich_text import plain
from db.reading import mappers
from db.tables import ConversationRow, ExampleRow, MessageRow, PostRow


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
    return await words_read_on(session, row, said.on, said.heard or said.at)


async def words_read_on(session: AsyncSession, row: ConversationRow, on: MessageRef | None, at: datetime) -> str:
    """What somebody read of the conversation at that moment: on this card or, where it is none, in its messages now."""
    post = None if on is None else await _card_there(session, row.id, on)
    return await messages_now(session, row) if post is None else await words_of_card(session, row, post, at)


async def words_of_card(session: AsyncSession, row: ConversationRow, post: int, at: datetime) -> str:
    """The conversation's words as the chat showed them on this card at that moment."""
    card = await _card_then(session, post, at)
    # A card that says nothing of an edit shows what was decided on
    return plain(card.excerpt) if card is not None and card.edited else row.text or ""


async def other_words(session: AsyncSession, row: ConversationRow, task: str) -> Lesson | None:
    """The words on which people settled the conversation, else those that its messages have now, with their own vector
    where it is known; None: they are the words that were decided on."""
    said = select(ExampleRow).where(
        ExampleRow.conversation_id == row.id, ExampleRow.task == task, ExampleRow.withdrawn_at.is_(None)
    )
    newest = said.order_by((ExampleRow.source == Source.TAP), ExampleRow.id.desc()).limit(1)
    example = (await session.scalars(newest)).first()
    if example is not None:
        return None if example.text == row.text else Lesson(example.text, example.vector, example.embedder)
    words = await messages_now(session, row)
    return None if words == row.text else Lesson(words)


async def reworded(session: AsyncSession, conversations: Sequence[int]) -> frozenset[int]:
    """Those of the conversations of whose messages that were decided on one was edited, before the decision or after:
    for any other the words that were decided on are all that anybody ever read."""
    if not conversations:
        return frozenset()
    of = MessageRow.conversation_id == any_(literal(list(conversations), ARRAY(BigInteger)))
    edited = select(MessageRow.conversation_id).where(of, MessageRow.decided, MessageRow.edited_at.is_not(None))
    return frozenset(await session.scalars(edited.distinct()))


async def _card_there(session: AsyncSession, conversation: int, on: MessageRef) -> int | None:
    here = PostRow.platform == on.platform, PostRow.receipt_chat == on.chat, PostRow.receipt_id == on.id
    cards = select(PostRow.id).where(*here, PostRow.conversation_id == conversation, PostRow.edits.is_(None))
    return await session.scalar(cards.where(PostRow.kind == Card.__name__).limit(1))


async def _card_then(session: AsyncSession, post: int, at: datetime) -> Card | None:
    """The card as the chat showed it at that moment."""
    shown = or_(PostRow.id == post, PostRow.said_at <= at)
    every = select(PostRow).where(or_(PostRow.id == post, PostRow.edits == post), PostRow.given_up_at.is_(None), shown)
    newest = (await session.scalars(every.order_by(PostRow.id.desc()).limit(1))).first()
    said = None if newest is None else mappers.content(newest)
    return said if isinstance(said, Card) else None


async def messages_now(session: AsyncSession, row: ConversationRow) -> str:
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
