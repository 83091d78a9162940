"""What a decision leaves behind, whoever made it: a row in the audit trail, and a conversation with its team."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Table, Update, bindparam, case, func, insert, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.decisions import Decision
from bot.domain.ledger import Change
from bot.domain.messages import Message
from bot.domain.tasks import NOT_A_REQUEST
from db.engine import announcement
from db.tables import ConversationRow, DecisionRow, MessageRow

_DECISIONS = cast(Table, DecisionRow.__table__)


async def record(session: AsyncSession, conversation_id: int, made: Decision, at: datetime) -> None:
    """Add a decision to the audit trail."""
    await record_all(session, [(conversation_id, made, at)])


async def record_all(session: AsyncSession, made: Sequence[tuple[int, Decision, datetime]], *changes: Change) -> None:
    """Add the decisions on these conversations to the audit trail, and announce these changes."""
    told = (announcement(*changes),) if changes else ()
    rows = [_values(conversation, decision, at) for conversation, decision, at in made]
    await session.execute(insert(_DECISIONS).values(language=_language()).returning(_DECISIONS.c.id, *told), rows)


def _values(conversation_id: int, made: Decision, at: datetime) -> dict[str, object]:
    return {
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
        "voices": [asdict(one) for one in made.voices],
        "own_language": made.language,
        "rule": made.rule or None,
        "of_conversation": conversation_id,
    }


def _language() -> ColumnElement[str]:
    """The text's language or, where it has none, the first language recorded for the conversation.

    A ruling on a conversation is about a text in that language.
    """
    told = (DecisionRow.conversation_id == bindparam("of_conversation"), DecisionRow.language.is_not(None))
    begun_in = select(DecisionRow.language).where(*told).order_by(DecisionRow.id).limit(1).scalar_subquery()
    return func.coalesce(bindparam("own_language", type_=DecisionRow.language.type), begun_in)


def moment() -> ColumnElement[datetime]:
    """When the conversation was claimed, by the caller's clock, with which the `now` of the next claim is compared."""
    return func.coalesce(ConversationRow.claimed_at, func.now())


def _state(label: object) -> object:
    """The state after the decision: routed, or closed at once for a text that asks for nothing."""
    if isinstance(label, str):
        return State.CLOSED if label == NOT_A_REQUEST else State.ROUTED
    over = cast(ColumnElement[str], label) == NOT_A_REQUEST
    return case((over, literal(State.CLOSED.value)), else_=literal(State.ROUTED.value))


def _closed_at(label: object, at: object) -> object:
    if isinstance(label, str):
        return at if label == NOT_A_REQUEST else None
    over = cast(ColumnElement[str], label) == NOT_A_REQUEST
    return case((over, cast(ColumnElement[datetime], at)), else_=null())


def with_its_team(task: object, label: object, at: object) -> dict[str, object]:
    """The columns of a conversation that its team has from now on, while nobody has taken it yet."""
    return {
        "state": _state(label),
        "closed_at": _closed_at(label, at),
        "task": task,
        "label": label,
        "version": ConversationRow.version + 1,
        "resting": False,
        "routed_at": at,
        "reminders": 0,
        "remind_after": None,
        "taken_by": None,
        "taken_name": None,
    }


async def move(session: AsyncSession, conversation_id: int, made: Decision, at: datetime) -> None:
    """Record the decision and give the conversation to its team."""
    await record(session, conversation_id, made, at)
    moved = update(ConversationRow).where(ConversationRow.id == conversation_id)
    await session.execute(
        moved.values(**with_its_team(made.task, made.label, at)).execution_options(synchronize_session=False)
    )


def heard(conversation_id: int, messages: Sequence[Message], at: datetime) -> Update:
    """Count only the messages that had been read as part of the decision; newer ones are still to be relayed."""
    ids = [message.ref.id for message in messages]
    return (
        update(MessageRow)
        .where(MessageRow.conversation_id == conversation_id, MessageRow.message_id.in_(ids))
        .where(MessageRow.concluded_at.is_(None))
        .values(concluded_at=at, decided=True)
        .execution_options(synchronize_session=False)
    )
