"""What people showed without saying it, read from conversations, notes and reactions."""

from collections.abc import Sequence
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from bot.domain.conversations import State
from bot.domain.decisions import Author
from bot.domain.messages import Reaction
from bot.domain.posts import Card
from bot.domain.silent_signals import MOST, Signal, SignalKind, SilentSignals
from bot.domain.tasks import Task
from db.conversations.basis import reworded, words_of_card, words_read_on
from db.conversations.targets import on
from db.engine import Database
from db.posts.latest import standing_cards
from db.reading import mappers
from db.tables import ConversationRow, CorrectionRow, DecisionRow, NoteRow, PostRow, ReactionRow

Wanted = TypeVarTuple("Wanted")
_PEOPLE = (Author.PERSON, Author.LEAD)


class PostgresSilentSignals:
    """The `silent_signals.SilentSignals` port in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def signals(self, task: Task, limit: int = MOST) -> Sequence[Signal]:
        async with self._database.transaction() as session:
            handed_on = await _handed_on(session, task, limit)
            known = {signal.conversation for signal in handed_on}
            settled = [signal for signal in await _settled(session, task, limit) if signal.conversation not in known]
        return sorted([*handed_on, *settled], key=lambda signal: signal.at, reverse=True)[:limit]


async def _settled(session: AsyncSession, task: Task, limit: int) -> list[Signal]:
    """Requests taken, answered and closed by the team that a machine chose."""
    answered = exists().where(NoteRow.conversation_id == ConversationRow.id, NoteRow.sent_at.is_not(None))
    closed = select(ConversationRow).where(
        ConversationRow.state == State.CLOSED, ConversationRow.taken_by.is_not(None), answered, _unsaid(task)
    )
    newest = closed.options(defer(ConversationRow.vector)).order_by(ConversationRow.closed_at.desc()).limit(limit)
    rows = (await session.scalars(newest)).all()
    changed = await reworded(session, [row.id for row in rows])
    cards = await standing_cards(session, list(changed))
    found = [
        (row, row.closed_at, await words_of_card(session, row, cards[row.id].post, row.closed_at))
        if row.id in cards and row.closed_at is not None
        else (row, row.closed_at, row.text)
        for row in rows
    ]
    return [
        Signal(SignalKind.CONFIRMATION, row.id, row.label, text, at)
        for row, at, text in found
        if row.label and text and at
    ]


async def _handed_on(session: AsyncSession, task: Task, limit: int) -> list[Signal]:
    """Requests on whose card somebody who is no lead named another team; if several did, the last one counts."""
    said: dict[int, tuple[str, Reaction]] = {}
    events: dict[int, list[ReactionRow]] = {}
    talks: dict[int, ConversationRow] = {}
    for talk, event in (await session.execute(_named(task, limit))).all():
        talks[talk.id] = talk
        events.setdefault(talk.id, []).append(event)
    for id, talk in talks.items():
        for reaction in sorted(mappers.standing(events[id]), key=lambda one: one.at):
            label = task.label_of_emoji(reaction.ref.platform, reaction.emoji)
            silent = reaction.counted is False and not reaction.actor.external
            if silent and label is not None and label != talk.label and talk.text:
                said[id] = label, reaction
    changed = await reworded(session, list(said))
    return [
        Signal(SignalKind.CORRECTION, id, label, text, put.at)
        for id, (label, put) in said.items()
        if (text := await _read(session, talks[id], put) if id in changed else talks[id].text)
    ]


async def _read(session: AsyncSession, talk: ConversationRow, put: Reaction) -> str:
    """The words that whoever reacted read on the card."""
    return await words_read_on(session, talk, put.ref, put.since)


def _named(task: Task, limit: int) -> Select[ConversationRow, ReactionRow]:
    """Every reaction ever on cards where somebody without the right to correct reacted: some may have been taken back
    since."""
    by_others = and_(ReactionRow.counted.is_(False), ReactionRow.external == false())
    newest = _on_cards(select(ConversationRow.id)).where(by_others, _unsaid(task))
    newest = newest.group_by(ConversationRow.id).order_by(func.max(ReactionRow.id).desc()).limit(limit)
    return _on_cards(select(ConversationRow, ReactionRow)).where(ConversationRow.id.in_(newest))


def _on_cards(wanted: Select[*Wanted]) -> Select[*Wanted]:
    cards = wanted.join(PostRow, PostRow.conversation_id == ConversationRow.id).join(ReactionRow, on(ReactionRow))
    return cards.where(PostRow.kind == Card.__name__, PostRow.edits.is_(None))


def _unsaid(task: Task) -> ColumnElement[bool]:
    """Requests decided by a machine, on which nobody with the right to rule did, and whose words are still stored."""
    ruled = exists().where(
        CorrectionRow.conversation_id == ConversationRow.id,
        CorrectionRow.task == task.name,
        CorrectionRow.withdrawn_at.is_(None),
    )
    said = exists().where(DecisionRow.conversation_id == ConversationRow.id, DecisionRow.by.in_(_PEOPLE))
    return and_(
        ConversationRow.task == task.name,
        ConversationRow.label.in_(task.names),
        ConversationRow.erased_at.is_(None),
        ConversationRow.text.is_not(None),
        ~ruled,
        ~said,
    )


_: type[SilentSignals] = PostgresSilentSignals
