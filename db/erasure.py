"""Forgetting a person: words, names, vectors and the notes about them go; counts, labels and who ruled what stay."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, Update, and_, delete, func, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.citations import keys
from bot.domain.conversations import State
from bot.domain.ledger import Change
from bot.domain.messages import Person
from bot.domain.posts import GONE, Card, Content, Continuation, FollowUp, Offer, Post, Reply, Sent
from bot.domain.queries import Erased, Erasure
from bot.domain.question_posts import Alert
from bot.domain.rich_text import plain
from db.engine import Database, announce
from db.posts.cancel import CancelReason, cancel
from db.posts.enqueue import enqueue
from db.posts.latest import wordings
from db.reading import mappers
from db.reading.codec import encode_person
from db.redaction.others_words import (
    WRITTEN,
    cited_of,
    citing,
    empty_others,
    empty_parked,
    lessons,
    reconsider,
    relearn,
    unquoted,
    written_by,
)
from db.redaction.parked import parked_of
from db.redaction.posts import Redaction, recalling, redacted, rewrite, unlearn
from db.redaction.shadow_cards import by_somebody, decided_by
from db.redaction.trained_adapters import let_go
from db.tables import ConversationRow, FailedItemRow, MessageRow, NoteRow, PostRow, PreferenceRow, PressRow, ReactionRow

_NAMED = ("by", "who", "taken_by", "to")
"""Fields of posts that hold a person's name."""
SERVE_FOR = timedelta(days=30)
_CARRIERS = tuple(kind.__name__ for kind in (FollowUp, Reply, Offer, Sent))


class PostgresErasure:
    """Erasure in PostgreSQL, in one transaction."""

    def __init__(self, database: Database, serve_for: timedelta = SERVE_FOR) -> None:
        """`serve_for` is how long an adapter that learned from an erased person may go on serving."""
        self._database = database
        self._serve_for = serve_for

    async def erase(self, person: Person, now: datetime) -> Erased:
        async with self._database.transaction() as session:
            known = await _known(session, person)
            changed = await lessons(session, known.others, known.gone)
            until = now + self._serve_for
            learned = [*known.own, *(lesson.conversation for lesson in changed)]
            adapters = await let_go(session, learned, until, now)
            examples, quoting = await unlearn(session, known.own, now)
            quoting += await recalling(session, {lesson.example: lesson.before for lesson in changed})
            await relearn(session, changed)
            await _empty_posts(session, known, quoting, now)
            await _empty_words(session, known, now)
            await _empty_names(session, person)
            await announce(session, Change.OWED, Change.FREED)
            return Erased(len(known.own), len(examples), adapters, until if adapters else None, known.elsewhere)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored about a person."""

    person: Person
    own: list[int]
    """Conversations that they opened and that are not emptied yet."""
    others: list[int]
    """Other conversations in which they wrote, which they took, or in which others cite or mention them."""
    elsewhere: int
    """Messages and notes of theirs outside their own conversations that still have words or files."""
    gone: Redaction


async def _known(session: AsyncSession, person: Person) -> _Known:
    """Find what is stored about the person. Their conversations are locked first, as every step does it."""
    people = keys(person.id, await _names(session, person))
    theirs = select(ConversationRow).where(ConversationRow.id.in_(_met_in(person, people)))
    talks = (await session.scalars(theirs.order_by(ConversationRow.id).with_for_update())).all()
    said = (await session.scalars(select(MessageRow).where(written_by(MessageRow, person)))).all()
    noted = (await session.scalars(select(NoteRow).where(written_by(NoteRow, person)))).all()
    wrote: list[MessageRow | NoteRow] = [*said, *noted]
    mine = [row for row in talks if (row.platform, row.person_id) == (person.platform, person.id)]
    own = [row.id for row in mine if row.erased_at is None]
    met = {row.id for row in talks} | {row.conversation_id for row in wrote if row.conversation_id is not None}
    carried = frozenset(row.carried_by for row in wrote if row.carried_by is not None)
    passed_on = await wordings(session, sorted(carried))
    texts = {row.text for row in wrote} | {said.text for said in passed_on.values() if isinstance(said, Reply)}
    gone = Redaction(
        texts=tuple(text for text in texts if text),
        carried=carried,
        notes=frozenset(row.id for row in noted),
        names=await _names(session, person),
        people=tuple(people),
        said=tuple({*(plain(text) for text in texts if text), *await cited_of(session, person, people)}),
    )
    elsewhere = sum(bool(row.text or row.media) and row.conversation_id not in own for row in wrote)
    return _Known(person, own, sorted(met - set(own)), elsewhere, gone)


def _met_in(person: Person, people: Sequence[str]) -> CompoundSelect[int]:
    """Conversations in which the person appears. Each part uses an index of its own; one joint query would scan the
    table."""
    row = ConversationRow
    return union(
        select(row.id).where(row.platform == person.platform, row.person_id == person.id),
        select(row.id).where(row.taken_by == person.key),
        *(select(table.conversation_id).where(written_by(table, person)) for table in WRITTEN),
        *(select(table.conversation_id).where(citing(table, person, people)) for table in WRITTEN),
    )


async def _names(session: AsyncSession, person: Person) -> frozenset[str]:
    """The person's names, now and in what is stored."""
    theirs = and_(ConversationRow.platform == person.platform, ConversationRow.person_id == person.id)
    asked = [
        *(select(table.author_name).where(written_by(table, person)) for table in WRITTEN),
        select(ConversationRow.person_name).where(theirs),
        select(ConversationRow.taken_name).where(ConversationRow.taken_by == person.key),
    ]
    found = [name for one in asked for name in await session.scalars(one.distinct())]
    return frozenset(name for name in [person.name, *found] if name)


# --- what we said ---


async def _empty_posts(session: AsyncSession, known: _Known, quoting: Sequence[PostRow], now: datetime) -> None:
    """Empty the posts about the person. `quoting` are other people's cards, already emptied, that recalled what was
    learned here."""

    def elsewhere(said: Content, target: int) -> Content:
        return unquoted(_unnamed(redacted(said, target, known.gone), known.gone.names), known.gone)

    def rest(said: Content, target: int) -> Content:
        # What is left of this piece comes back with the next wording of the post it continues
        if isinstance(said, Continuation) and said.of in rewritten:
            return replace(said, text="")
        return unquoted(said, known.gone)

    about = PostRow.conversation_id.in_(known.own)
    carrying = or_(PostRow.id.in_(known.gone.carried), PostRow.edits.in_(known.gone.carried))
    changed = await rewrite(session, about, lambda said, target: _blank(said, target, known.gone))
    others = and_(or_(PostRow.conversation_id.in_(known.others), carrying), ~about)
    a_piece = PostRow.kind == Continuation.__name__
    changed += await rewrite(session, and_(others, ~a_piece), elsewhere)
    rewritten = {row.edits or row.id for row in changed}
    changed += await rewrite(session, and_(others, a_piece), rest)
    decided = await decided_by(session, known.person)
    changed += await rewrite(session, decided, lambda said, _target: by_somebody(said))
    pointless = and_(PostRow.id.in_([row.id for row in changed]), PostRow.kind.in_(_CARRIERS))
    await cancel(session, pointless, CancelReason.FORGOTTEN, now)
    await _rewrite_chats(session, [row.edits or row.id for row in [*changed, *quoting]], now)


def _blank(said: Content, target: int, gone: Redaction) -> Content:
    """A post about the person's own conversation, without anything of theirs."""
    if isinstance(said, Card):
        return replace(said, excerpt="", author="", media=(), history=(), deleted=True)
    if isinstance(said, Alert):
        return replace(said, excerpt="", author="")
    if isinstance(said, Reply):
        return replace(said, text=GONE, media=(), to="", by="" if said.by in gone.names else said.by, edited=True)
    if isinstance(said, Offer | Sent):
        said = replace(said, text="", to="")
    if isinstance(said, Continuation):
        said = replace(said, text="")
    return _unnamed(redacted(said, target, gone), gone.names)


def _unnamed(said: Content, names: Collection[str]) -> Content:
    """The post without the names of people who took the conversation, answered or are spoken of, if among `names`."""
    named = [f.name for f in fields(said) if f.name in _NAMED and getattr(said, f.name) in names]
    nameless: dict[str, Any] = dict.fromkeys(named, "")
    return replace(said, **nameless) if named else said


async def _rewrite_chats(session: AsyncSession, targets: Sequence[int], now: datetime) -> None:
    """Owe the remaining words to every chat where these posts stand or are on their way.

    A post shown to one person alone cannot be rewritten, and does not stay in the chat.
    """
    there = select(PostRow).where(
        PostRow.id.in_(targets),
        PostRow.edits.is_(None),
        PostRow.only_for.is_(None),
        or_(PostRow.said_at.is_not(None), and_(PostRow.given_up_at.is_(None), PostRow.leased_until.is_not(None))),
    )
    says = await wordings(session, targets)
    for row in (await session.scalars(there.order_by(PostRow.id))).all():
        await enqueue(session, row.conversation_id, [Post(mappers.place(row), says[row.id], edits=row.id)], now)


# --- what was written ---


async def _empty_words(session: AsyncSession, known: _Known, now: datetime) -> None:
    for table in WRITTEN:
        hollow = (
            update(table)
            .where(written_by(table, known.person))
            .values(
                text="",
                media=[],
                cites=[],
                author_name="",
                language=None,
                stale=False,
                deleted_at=func.coalesce(table.deleted_at, now),
                concluded_at=func.coalesce(table.concluded_at, now),
            )
        )
        await session.execute(hollow.execution_options(synchronize_session=False))
    await session.execute(_without_notes(known, now))
    await empty_others(session, [*known.own, *known.others], known.person, known.gone)
    await empty_parked(session, known.person, known.gone)
    await reconsider(session, known.others, known.gone)
    await session.execute(_closed(known, now))


def _without_notes(known: _Known, now: datetime) -> Update:
    """Empty what teams wrote under the person's cards: it is about them, whatever its words are."""
    about = update(NoteRow).where(NoteRow.conversation_id.in_(known.own))
    return about.values(
        text="",
        media=[],
        cites=[],
        stale=False,
        deleted_at=func.coalesce(NoteRow.deleted_at, now),
        concluded_at=func.coalesce(NoteRow.concluded_at, now),
    ).execution_options(synchronize_session=False)


def _closed(known: _Known, now: datetime) -> Update:
    """Close the person's conversations: nothing is left to answer. A step at work on one must not bring its words
    back."""
    row = ConversationRow
    closed = update(row).where(row.id.in_(known.own))
    return closed.values(
        person_name="",
        language=None,
        text=None,
        vector=None,
        embedder=None,
        state=State.CLOSED,
        closed_at=func.coalesce(row.closed_at, now),
        left_at=func.coalesce(row.left_at, now),
        version=row.version + 1,
        leased_until=None,
        erased_at=now,
    ).execution_options(synchronize_session=False)


async def _empty_names(session: AsyncSession, person: Person) -> None:
    """Leave only the id of the person where they reacted, pressed or took something."""
    for done in (ReactionRow, PressRow):
        theirs = and_(done.platform == person.platform, done.actor_id == person.id)
        nameless = update(done).where(theirs).values(actor_name="", language=None)
        await session.execute(nameless.execution_options(synchronize_session=False))
    took = update(ConversationRow).where(ConversationRow.taken_by == person.key).values(taken_name="")
    await session.execute(took.execution_options(synchronize_session=False))
    alone = encode_person(Person(person.platform, person.id))
    shown = update(PostRow).where(PostRow.platform == person.platform, PostRow.only_for["id"].astext == person.id)
    await session.execute(shown.values(only_for=alone).execution_options(synchronize_session=False))
    preferred = delete(PreferenceRow).where(
        PreferenceRow.platform == person.platform, PreferenceRow.person_id == person.id
    )
    await session.execute(preferred.execution_options(synchronize_session=False))
    aside = delete(FailedItemRow).where(parked_of(person))
    await session.execute(aside.execution_options(synchronize_session=False))


_: type[Erasure] = PostgresErasure
