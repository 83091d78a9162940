"""The outcomes of conversations, read from PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, Select, any_, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, aliased, defer

from bot.domain.conversations import State
from bot.domain.decisions import Author, Decision
from bot.domain.model_ports import Vector
from bot.domain.outcomes import Outcome, Outcomes
from bot.domain.team_changes import FormerNames
from db.conversations.basis import Lesson, other_words, reworded
from db.conversations.label_names import names_by_now
from db.engine import Database
from db.reading import mappers
from db.tables import ConversationRow, CorrectionRow, DecisionRow, ExampleRow

_PEOPLE = (Author.LEAD, Author.PERSON)


class PostgresOutcomes:
    """Outcomes in five reads, each by an index, however many other conversations there are; and two for each
    conversation whose person changed what they wrote."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def outcomes(
        self, task: str, since: datetime, until: datetime, limit: int, vectors_by: str | None = None
    ) -> Sequence[Outcome]:
        async with self._database.transaction() as session:
            first = {row.conversation_id: row for row in await session.scalars(_first(task, since, until, limit))}
            ids = list(first)
            wanted = select(ConversationRow).where(_one_of(ConversationRow.id, ids))
            known = await session.scalars(wanted if vectors_by else wanted.options(defer(ConversationRow.vector)))
            conversations = {row.id: row for row in known}
            later = await session.scalars(_by_people(task, ids))
            moves: dict[int, list[DecisionRow]] = {}
            for row in later:
                moves.setdefault(row.conversation_id, []).append(row)
            ruled = {row.conversation_id: row for row in await session.scalars(_standing(task, ids))}
            held = set(await session.scalars(_quarantined(task, ids)))
            names = await names_by_now(session, task)
            changed = await reworded(session, ids)
            read = {id: await other_words(session, conversations[id], task) for id in changed if id in conversations}
        return [
            _outcome(
                conversations[id],
                read.get(id),
                _Decisions(row, moves.get(id, ()), names),
                ruled.get(id),
                id in held,
                vectors_by,
            )
            for id, row in reversed(first.items())
            if id in conversations
        ]


def _first(task: str, since: datetime, until: datetime, limit: int) -> Select[DecisionRow]:
    """The first decision of each conversation, where a machine made it in this period; newest first."""
    earlier = aliased(DecisionRow)
    before = exists().where(
        earlier.conversation_id == DecisionRow.conversation_id,
        earlier.task == DecisionRow.task,
        earlier.id < DecisionRow.id,
    )
    made = select(DecisionRow).where(
        DecisionRow.task == task, DecisionRow.at >= since, DecisionRow.at < until, DecisionRow.by.not_in(_PEOPLE)
    )
    return made.where(~before).order_by(DecisionRow.id.desc()).limit(limit)


def _one_of(
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], ids: Sequence[int]
) -> ColumnElement[bool]:
    """Matches by an array: one parameter, however many ids there are."""
    return column == any_(literal(list(ids), ARRAY(BigInteger)))


def _by_people(task: str, ids: Sequence[int]) -> Select[DecisionRow]:
    later = select(DecisionRow).where(_one_of(DecisionRow.conversation_id, ids), DecisionRow.task == task)
    return later.where(DecisionRow.by.in_(_PEOPLE)).order_by(DecisionRow.id)


def _standing(task: str, ids: Sequence[int]) -> Select[CorrectionRow]:
    return select(CorrectionRow).where(
        _one_of(CorrectionRow.conversation_id, ids), CorrectionRow.task == task, CorrectionRow.withdrawn_at.is_(None)
    )


def _quarantined(task: str, ids: Sequence[int]) -> Select[int]:
    return select(func.coalesce(ExampleRow.conversation_id, 0)).where(
        _one_of(ExampleRow.conversation_id, ids),
        ExampleRow.task == task,
        ExampleRow.withdrawn_at.is_(None),
        ExampleRow.quarantined,
    )


@dataclass(frozen=True, slots=True)
class _Decisions:
    """The decisions on one conversation, with teams by their current names."""

    made: DecisionRow
    """The first decision."""
    moves: Sequence[DecisionRow]
    """Later decisions made by people."""
    names: FormerNames

    def label(self, made: DecisionRow) -> str:
        return self.names.now(made.label, made.at)

    def ended(self, row: ConversationRow, ruling: CorrectionRow | None) -> str:
        """Where the conversation is. Rulings that stand bear the team's present name."""
        if ruling is not None:
            return ruling.label
        if row.task != self.made.task or not row.label:
            return self.label(self.made)
        return self.names.of_merges.now(row.label, row.closed_at or self.made.at)

    @property
    def first(self) -> Decision:
        return replace(mappers.decision(self.made), label=self.label(self.made))

    @property
    def moved_at(self) -> datetime | None:
        """When a person first gave the conversation to another team."""
        away = (move.at for move in self.moves if self.label(move) != self.label(self.made))
        return next(away, None)


def _outcome(
    row: ConversationRow,
    read: Lesson | None,
    decisions: _Decisions,
    ruling: CorrectionRow | None,
    quarantined: bool,
    vectors_by: str | None,
) -> Outcome:
    said = ruling is not None or bool(decisions.moves)
    acted = row.task == decisions.made.task and (row.taken_by is not None or row.state == State.CLOSED)
    return Outcome(
        conversation=row.id,
        text=_text(row, read),
        first=decisions.first,
        at=decisions.made.at,
        ended=decisions.ended(row, ruling),
        settled=said or acted,
        said=said,
        moved_at=decisions.moved_at,
        disputed=ruling is not None and ruling.disputed,
        quarantined=quarantined,
        vector=_vector(row if read is None else read, vectors_by) if vectors_by else None,
    )


def _text(row: ConversationRow, read: Lesson | None) -> str:
    if row.erased_at is not None or row.text is None:
        return ""
    return row.text if read is None else read.text


def _vector(of: ConversationRow | Lesson, by: str) -> Vector | None:
    return tuple(of.vector) if of.embedder == by and of.vector is not None else None


_: type[Outcomes] = PostgresOutcomes
