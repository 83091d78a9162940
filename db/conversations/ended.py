"""Whether a conversation's team was merged or retired since it got the conversation."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.team_changes import Kind
from db.tables import ConversationRow, DecisionRow, LabelChangeRow

_CHANGE = LabelChangeRow
ENDS = _CHANGE.kind.in_((Kind.MERGE, Kind.RETIRE))


def ended_by() -> ColumnElement[bool]:
    """Whether this change ended the conversation's team, with no decision on the conversation since.

    A name may be given again: a later decision is about the team that has the name now.
    """
    later = exists().where(
        DecisionRow.conversation_id == ConversationRow.id,
        DecisionRow.task == ConversationRow.task,
        DecisionRow.at >= _CHANGE.at,
    )
    return and_(ENDS, _CHANGE.task == ConversationRow.task, _CHANGE.before == ConversationRow.label, ~later)


def has_ended() -> ColumnElement[bool]:
    """Whether the conversation's team was merged or retired since it got the conversation."""
    return exists().where(ended_by()).correlate(ConversationRow)


async def of_ended_teams(session: AsyncSession, conversations: Sequence[int]) -> set[int]:
    """Those of the conversations whose team was merged or retired since it got them."""
    if not conversations:
        return set()
    theirs = select(ConversationRow.id).where(ConversationRow.id.in_(conversations), has_ended())
    return set(await session.scalars(theirs))
