"""What became of an adapter's decisions: how many leads corrected."""

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.automatic_rollback import Corrections
from bot.domain.decisions import Author
from db.tables import CorrectionRow, DecisionRow


async def corrections(session: AsyncSession, task: str, adapter: str, start: datetime, end: datetime) -> Corrections:
    """Of conversations that were given to a team unasked while this adapter spoke.

    What was decided without it, because it was silent, is not its; a correction that was withdrawn is none.
    """
    moved = exists().where(
        CorrectionRow.conversation_id == DecisionRow.conversation_id,
        CorrectionRow.task == task,
        CorrectionRow.withdrawn_at.is_(None),
        ~CorrectionRow.confirms,
        CorrectionRow.label != DecisionRow.label,
    )
    conversations = func.count(DecisionRow.conversation_id.distinct())
    figures = select(conversations, conversations.filter(moved)).where(
        DecisionRow.adapter == adapter,
        DecisionRow.task == task,
        DecisionRow.at >= start,
        DecisionRow.at < end,
        DecisionRow.by.not_in((Author.PERSON, Author.LEAD)),
        func.cardinality(DecisionRow.candidates) == 0,
    )
    decided, corrected = (await session.execute(figures)).one()
    return Corrections(decided, corrected)
