"""What others wrote that names, cites or quotes a forgotten person: it stays theirs, without the person."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Text, and_, literal_column, not_, select, update
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.citations import cited_words, named_in, without_files, without_person
from bot.domain.conversations import State
from bot.domain.learning import text_key
from bot.domain.messages import Edit, Media, Message, Note, Person
from bot.domain.posts import Card, Content, Continuation, FollowUp, Offer, Reply, Sent
from bot.domain.rich_text import plain
from db.reading.codec import decode_fact, decode_media, encode_fact, encode_media
from db.redaction.posts import Redaction
from db.redaction.text import without
from db.tables import ConversationRow, ExampleRow, FailedItemRow, MessageRow, NoteRow

Written = type[MessageRow] | type[NoteRow]
WRITTEN: tuple[Written, ...] = (MessageRow, NoteRow)
_UNDECIDED = (State.NEW, State.ASKED)


@dataclass(frozen=True, slots=True)
class Lesson:
    """An example's text that changes once the forgotten person is taken out."""

    example: int
    conversation: int
    before: str
    now: str


def written_by(table: Written, person: Person) -> ColumnElement[bool]:
    return and_(table.platform == person.platform, table.author_id == person.id)


def citing(table: Written, person: Person, keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether somebody else cites or mentions the person there."""
    somebody = table.cites != literal_column("'[]'::jsonb")  # in this very form, which the index is built on
    named = and_(somebody, table.cites.has_any(array(keys, type_=Text)))
    return and_(table.platform == person.platform, named, not_(written_by(table, person)))


async def cited_of(session: AsyncSession, person: Person, keys: Sequence[str]) -> list[str]:
    """The person's words, as others cite them."""
    found: list[str] = []
    for table in WRITTEN:
        rows = await session.scalars(select(table.text).where(citing(table, person, keys)))
        found += [words for text in rows for words in cited_words(text, keys)]
    return found


def cleaned(text: str, gone: Redaction) -> str:
    """Marked text without the person's name and words. Where these run across marks, the marks go, too."""
    left = without_person(text, gone.people)
    words = plain(left)
    now = without(words, gone.names, gone.said)
    return left if now == words else now


def unquoted(said: Content, gone: Redaction) -> Content:
    """A post of other people's words, without the forgotten person's name, words and files."""
    match said:
        case Reply() | FollowUp():
            return replace(said, text=cleaned(said.text, gone), media=without_files(said.media, gone.people))
        case Sent() | Offer() | Continuation():
            return replace(said, text=cleaned(said.text, gone))
        case Card():
            history = tuple((who, cleaned(what, gone)) for who, what in said.history)
            media = without_files(said.media, gone.people)
            return replace(said, excerpt=cleaned(said.excerpt, gone), history=history, media=media)
        case _:
            return said


async def empty_others(session: AsyncSession, conversations: Sequence[int], person: Person, gone: Redaction) -> None:
    """Take the person's name and words out of what others wrote in these conversations."""
    for table in WRITTEN:
        about = table.conversation_id.in_(conversations), table.text != "", not_(written_by(table, person))
        found = await session.execute(select(table.id, table.text, table.media).where(*about))
        rows = [(row, text, decode_media(media)) for row, text, media in found]
        # In a thread: thousands of lines are searched in thousands of texts
        for row, text, media in await asyncio.to_thread(_changed, rows, gone):
            says = {"text": text, "media": encode_media(media), "cites": list(named_in(text, media))}
            changed = update(table).where(table.id == row).values(**says)
            await session.execute(changed.execution_options(synchronize_session=False))


_Said = tuple[int, str, tuple[Media, ...]]


def _changed(rows: Sequence[_Said], gone: Redaction) -> list[_Said]:
    now = [(row, cleaned(text, gone), without_files(media, gone.people)) for row, text, media in rows]
    return [says for says, said in zip(now, rows, strict=True) if says != said]


# --- what is learned from ---


async def lessons(session: AsyncSession, conversations: Sequence[int], gone: Redaction) -> list[Lesson]:
    """The examples from other people's conversations whose text changes without the person."""
    learned = select(ExampleRow.id, ExampleRow.conversation_id, ExampleRow.text)
    here = ExampleRow.conversation_id.in_(conversations), ExampleRow.text != ""
    rows = (await session.execute(learned.where(*here).order_by(ExampleRow.id))).all()
    found = [Lesson(id_, of or 0, before, cleaned(before, gone)) for id_, of, before in rows]
    return [lesson for lesson in found if lesson.now != lesson.before]


async def relearn(session: AsyncSession, changed: Sequence[Lesson]) -> None:
    """Store the changed texts. The examples stay on their side, and get a new vector for the memory."""
    for lesson in changed:
        says = {"text": lesson.now, "text_key": text_key(lesson.now), "vector": None, "embedder": None}
        again = update(ExampleRow).where(ExampleRow.id == lesson.example).values(**says)
        await session.execute(again.execution_options(synchronize_session=False))


async def reconsider(session: AsyncSession, conversations: Sequence[int], gone: Redaction) -> None:
    """Clean the texts that others' conversations were classified by; a step at work must not bring the old words
    back."""
    rows = await session.scalars(select(ConversationRow).where(ConversationRow.id.in_(conversations)))
    for talk in rows.all():
        said = cleaned(talk.text, gone) if talk.text else talk.text
        values: dict[str, object] = {"leased_until": None}
        if said != talk.text:
            values |= {"text": said, "vector": None, "embedder": None}
        if talk.state in _UNDECIDED:
            values["version"] = ConversationRow.version + 1
        again = update(ConversationRow).where(ConversationRow.id == talk.id).values(**values)
        await session.execute(again.execution_options(synchronize_session=False))


# --- facts that could not be stored ---


async def empty_parked(session: AsyncSession, person: Person, gone: Redaction) -> None:
    """Take the person out of other people's facts that were set aside."""
    parked = select(FailedItemRow).where(FailedItemRow.fact["text"].astext != "")
    for item in (await session.scalars(parked)).all():
        fact = decode_fact(item.fact or {})
        if isinstance(fact, Message | Edit | Note) and fact.ref.platform == person.platform:
            item.fact = encode_fact(replace(fact, text=without_person(fact.text, gone.people)))
