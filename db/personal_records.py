"""What is stored about one person, found by the same columns as for erasure."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.citations import keys
from bot.domain.messages import Person
from bot.domain.personal_records import Held, PersonalRecord, PersonalRecords, PersonalRecordsReader, words_of
from bot.domain.rich_text import plain
from db.engine import Database
from db.reading import mappers
from db.reading.training_provenance import trained_on
from db.redaction.others_words import WRITTEN, citing, written_by
from db.redaction.parked import parked_of
from db.tables import (
    ConversationRow,
    CorrectionRow,
    ExampleRow,
    FailedItemRow,
    MessageRow,
    NoteRow,
    PostRow,
    PreferenceRow,
    PressRow,
    ReactionRow,
)


class PostgresPersonalRecords:
    """A person's records, read in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held_about(self, person: Person) -> PersonalRecords:
        async with self._database.transaction() as session:
            names = await _names(session, person)
            own = list(await session.scalars(select(ConversationRow.id).where(_opened(person))))
            records = (
                *await _conversations(session, person),
                *await _written(session, person),
                *await _posts(session, own),
                *await _cited(session, person, keys(person.id, names)),
                *await _acts(session, person),
                *await _learned(session, own),
                *await _rulings(session, person),
                *await _aside(session, person),
            )
            return PersonalRecords(person, tuple(sorted(names)), records, await trained_on(session, own))


def _opened(person: Person) -> ColumnElement[bool]:
    return and_(ConversationRow.platform == person.platform, ConversationRow.person_id == person.id)


def _place(row: ConversationRow | MessageRow | NoteRow | ReactionRow | PressRow | PostRow) -> str:
    return f"{row.platform}:{row.chat}"


async def _names(session: AsyncSession, person: Person) -> frozenset[str]:
    asked: list[Select[str]] = [
        *(select(table.author_name).where(written_by(table, person)) for table in WRITTEN),
        select(ConversationRow.person_name).where(_opened(person)),
        *(select(done.actor_name).where(_done_by(done, person)) for done in (ReactionRow, PressRow)),
    ]
    found = {name for one in asked for name in await session.scalars(one.distinct())}
    taken = select(ConversationRow.taken_name).where(ConversationRow.taken_by == person.key).distinct()
    return frozenset(name for name in found.union(await session.scalars(taken)) if name)


async def _conversations(session: AsyncSession, person: Person) -> list[PersonalRecord]:
    """The person's conversations, and others' conversations that they took."""
    mine = select(ConversationRow).where(_opened(person)).order_by(ConversationRow.id)
    took = select(ConversationRow).where(ConversationRow.taken_by == person.key, ~_opened(person))
    return [
        PersonalRecord(kind, row.id, _place(row), row.started_at, row.label, plain(said or ""), row.id)
        for kind, which in ((Held.CONVERSATION, mine), (Held.TAKEN, took.order_by(ConversationRow.id)))
        for row in await session.scalars(which)
        for said in [row.text if kind is Held.CONVERSATION else ""]
    ]


async def _written(session: AsyncSession, person: Person) -> list[PersonalRecord]:
    said = select(MessageRow).where(written_by(MessageRow, person)).order_by(MessageRow.id)
    noted = select(NoteRow).where(written_by(NoteRow, person)).order_by(NoteRow.id)
    return [
        *(_writing(Held.MESSAGE, row, plain(row.text)) for row in await session.scalars(said)),
        *(_writing(Held.NOTE, row, plain(row.text)) for row in await session.scalars(noted)),
    ]


def _writing(kind: Held, row: MessageRow | NoteRow, words: str) -> PersonalRecord:
    return PersonalRecord(kind, row.id, _place(row), row.at, None, words, row.conversation_id)


async def _posts(session: AsyncSession, own: Sequence[int]) -> list[PersonalRecord]:
    rows = await session.scalars(select(PostRow).where(PostRow.conversation_id.in_(own)).order_by(PostRow.id))
    return [
        PersonalRecord(Held.POST, row.id, _place(row), row.said_at, row.kind, words_of(mappers.content(row)), of)
        for row in rows
        for of in [row.conversation_id]
    ]


async def _cited(session: AsyncSession, person: Person, known_as: Sequence[str]) -> list[PersonalRecord]:
    """Where others cite the person, without the words, which are somebody else's."""
    said = select(MessageRow).where(citing(MessageRow, person, known_as)).order_by(MessageRow.id)
    noted = select(NoteRow).where(citing(NoteRow, person, known_as)).order_by(NoteRow.id)
    rows: list[MessageRow | NoteRow] = [*await session.scalars(said), *await session.scalars(noted)]
    return [_writing(Held.CITED, row, "") for row in rows]


def _done_by(table: type[ReactionRow] | type[PressRow], person: Person) -> ColumnElement[bool]:
    return and_(table.platform == person.platform, table.actor_id == person.id)


async def _acts(session: AsyncSession, person: Person) -> list[PersonalRecord]:
    reactions = select(ReactionRow).where(_done_by(ReactionRow, person)).order_by(ReactionRow.id)
    presses = select(PressRow).where(_done_by(PressRow, person)).order_by(PressRow.id)
    return [
        *(PersonalRecord(Held.REACTION, r.id, _place(r), r.at, r.emoji, "") for r in await session.scalars(reactions)),
        *(PersonalRecord(Held.PRESS, p.id, _place(p), p.at, p.value, "") for p in await session.scalars(presses)),
    ]


async def _learned(session: AsyncSession, own: Sequence[int]) -> list[PersonalRecord]:
    rows = await session.scalars(select(ExampleRow).where(ExampleRow.conversation_id.in_(own)).order_by(ExampleRow.id))
    return [
        PersonalRecord(Held.EXAMPLE, one.id, one.task, one.recorded_at, one.label, plain(one.text), one.conversation_id)
        for one in rows
    ]


async def _rulings(session: AsyncSession, person: Person) -> list[PersonalRecord]:
    ruled = select(CorrectionRow).where(CorrectionRow.lead == person.key).order_by(CorrectionRow.id)
    return [
        PersonalRecord(Held.RULING, row.id, row.task, row.at, row.label, "", row.conversation_id)
        for row in await session.scalars(ruled)
    ]


async def _aside(session: AsyncSession, person: Person) -> list[PersonalRecord]:
    """The language the person chose, and their facts that could not be stored."""
    chosen = PreferenceRow.platform == person.platform, PreferenceRow.person_id == person.id
    fact = FailedItemRow.fact
    parked = select(FailedItemRow.id, FailedItemRow.step, FailedItemRow.first_at, fact["text"].astext)
    return [
        *(
            PersonalRecord(Held.PREFERENCE, 0, row.platform, None, row.language, "")
            for row in await session.scalars(select(PreferenceRow).where(*chosen))
        ),
        *(
            PersonalRecord(Held.FAILED, id_, step, at, None, plain(words or ""))
            for id_, step, at, words in (await session.execute(parked.where(parked_of(person)))).all()
        ),
    ]


_: type[PersonalRecordsReader] = PostgresPersonalRecords
