"""What a decision leaves behind, whoever made it: a row in the audit trail, a conversation with its team."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ScalarSelect, Update, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import State
from bot.domain.decisions import Decision
from bot.domain.messages import Message
from bot.domain.ports import Change
from db.engine import announcement
from db.tables import ConversationRow, DecisionRow, MessageRow


async def record(session: AsyncSession, conversation_id: int, made: Decision, at: datetime, *changes: Change) -> None:
    """Add a decision to the audit trail, and announce what that changes."""
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
        "voices": [asdict(one) for one in made.voices],
        "language": made.language or _begun_in(conversation_id),
    }
    told = (announcement(*changes),) if changes else ()
    await session.execute(insert(DecisionRow).values(values).returning(DecisionRow.id, *told))


def _begun_in(conversation_id: int) -> ScalarSelect[str]:
    """The language of the conversation's first words that had one: whoever rules on it rules on a text in that."""
    told = (DecisionRow.conversation_id == conversation_id, DecisionRow.language.is_not(None))
    return select(DecisionRow.language).where(*told).order_by(DecisionRow.id).limit(1).scalar_subquery()


def with_its_team(made: Decision, at: object) -> dict[str, object]:
    """The columns of a conversation whose team has it from now on, and nobody of it yet."""
    return {
        "state": State.ROUTED,
        "task": made.task,
        "label": made.label,
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
    await session.execute(moved.values(**with_its_team(made, at)).execution_options(synchronize_session=False))


def heard(conversation_id: int, messages: Sequence[Message], at: datetime) -> Update:
    """Only what had been read goes with the decision; anything newer is still to be relayed."""
    ids = [message.ref.id for message in messages]
    return (
        update(MessageRow)
        .where(MessageRow.conversation_id == conversation_id, MessageRow.message_id.in_(ids))
        .where(MessageRow.concluded_at.is_(None))
        .values(concluded_at=at, decided=True)
        .execution_options(synchronize_session=False)
    )
