"""Figures about the whole, and lists of conversations for those who ask."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from bot.domain.conversations import State
from bot.domain.correction_life import Stage
from bot.domain.messages import MessageRef, Person
from bot.domain.queries import Account, Queries, Request, Week
from bot.domain.rule_record import RuleRecord, RuleRecords
from db.conversations import decision_counts, rule_counts
from db.conversations.requests import RULED, account_of, in_short, unsure
from db.engine import Database
from db.posts.cancel import OF_ANY_LINE, PENDING, REFUSED
from db.reading import correction_facts
from db.tables import ConversationRow, CorrectionRow, DecisionRow, ExampleRow, PostRow

_UNDECIDED = (ConversationRow.state == State.NEW, ~ConversationRow.resting)
_WEEK = timedelta(days=7)


class PostgresQueries:
    """Figures from PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stages: correction_facts.Counts | None = None

    async def backlog(self, now: datetime) -> Mapping[str, float]:
        undecided = select(func.count(), func.min(ConversationRow.started_at)).where(*_UNDECIDED)
        unsaid = select(func.count(), func.min(PostRow.owed_at)).where(PENDING, OF_ANY_LINE)
        given_up = select(func.count()).where(REFUSED)
        async with self._database.transaction() as session:
            new, oldest_new = (await session.execute(undecided)).one()
            waiting, oldest_post = (await session.execute(unsaid)).one()
            lost = (await session.execute(given_up)).scalar_one()
        return {
            "undecided": float(new),
            "unsaid": float(waiting),
            "given_up": float(lost),
            "oldest_undecided_seconds": _age(oldest_new, now),
            "oldest_unsaid_seconds": _age(oldest_post, now),
        }

    async def decisions(self) -> Mapping[tuple[str, str, str, str, str], int]:
        async with self._database.transaction() as session:
            counts = await decision_counts.counted(session)
        if counts.uncounted >= decision_counts.ENOUGH:
            await decision_counts.fold(self._database)
        return counts.totals

    async def corrections(self) -> Mapping[tuple[str, Stage], int]:
        async with self._database.transaction() as session:
            self._stages = await correction_facts.counts(session, self._stages)
        return self._stages.by_stage

    async def rules_applied(self) -> Mapping[str, int]:
        async with self._database.transaction() as session:
            return await decision_counts.rules_applied(session)

    async def rule_records(self) -> Mapping[str, RuleRecord]:
        async with self._database.transaction() as session:
            return await rule_counts.records(session)

    async def requests_of(self, person: Person, limit: int) -> list[Request]:
        row = ConversationRow
        theirs = select(row).where(row.platform == person.platform, row.person_id == person.id)
        return await self._list(theirs.where(row.state != State.CLOSED), limit)

    async def doubtful(self, limit: int) -> list[Request]:
        opened = ConversationRow.state.in_([State.ASKED, State.ROUTED])
        disputed = exists().where(RULED, CorrectionRow.disputed)
        unruled = and_(unsure(), ~exists().where(RULED))
        held_back = ExampleRow.held.is_not(None), ExampleRow.withdrawn_at.is_(None)
        waiting = exists().where(ExampleRow.conversation_id == ConversationRow.id, *held_back)
        wanted = select(ConversationRow).where(opened, or_(disputed, waiting, unruled))
        return await self._list(wanted.order_by(ConversationRow.comes_first.desc()), limit)

    async def _list(self, wanted: Select[ConversationRow], limit: int) -> list[Request]:
        newest = wanted.order_by(ConversationRow.started_at.desc(), ConversationRow.id.desc()).limit(limit)
        async with self._database.transaction() as session:
            return await in_short(session, (await session.scalars(newest)).all())

    async def requests(
        self, states: Sequence[State], label: str | None, before: int | None, limit: int
    ) -> list[Request]:
        row = ConversationRow
        wanted = select(row).where(row.state.in_(states)).order_by(row.id.desc()).limit(limit)
        wanted = wanted if label is None else wanted.where(row.label == label)
        wanted = wanted if before is None else wanted.where(row.id < before)
        async with self._database.transaction() as session:
            return await in_short(session, (await session.scalars(wanted)).all())

    async def account(self, ref: MessageRef) -> Account | None:
        async with self._database.transaction() as session:
            return await account_of(session, ref)

    async def week(self, now: datetime) -> Week:
        lately = _routed_since(now - _WEEK, now)
        moved = exists().where(RULED, ~CorrectionRow.confirms)
        figures = select(
            func.count(),
            func.count().filter(moved),
            func.count().filter(ConversationRow.asked),
        ).where(ConversationRow.id.in_(lately))
        async with self._database.transaction() as session:
            decided, corrected, asked = (await session.execute(figures)).one()
        return Week(decided, corrected, asked)


def _routed_since(start: datetime, end: datetime) -> Select[int]:
    """Conversations given to a team for the first time since then; a guess that led to a question does not count."""
    given, earlier = _given(DecisionRow), aliased(DecisionRow)
    same = and_(earlier.conversation_id == DecisionRow.conversation_id, earlier.task == DecisionRow.task)
    before = exists().where(same, earlier.at < start, _given(earlier))
    return (
        select(DecisionRow.conversation_id)
        .join(ConversationRow, ConversationRow.id == DecisionRow.conversation_id)
        .where(DecisionRow.at.between(start, end), DecisionRow.task == ConversationRow.task, given, ~before)
        .distinct()
    )


def _given(row: type[DecisionRow]) -> ColumnElement[bool]:
    return func.cardinality(row.candidates) == 0


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


_: type[Queries] = PostgresQueries
_records: type[RuleRecords] = PostgresQueries
