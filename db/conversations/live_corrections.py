"""How many of an adapter's decisions leads corrected."""

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.automatic_rollback import Corrections
from bot.domain.decisions import Author
from db.conversations.label_names import by_now, names_by_now
from db.tables import CorrectionRow, DecisionRow


async def corrections(session: AsyncSession, task: str, adapter: str, start: datetime, end: datetime) -> Corrections:
    """Count conversations given to a team without a question while this adapter answered, and those corrected.

    Decisions made while the adapter gave no answer do not count; nor do withdrawn corrections. A ruling that stands
    bears its team's present name, and a decision the name of its time: a renamed team is the same team.
    """
    names = await names_by_now(session, task)
    moved = exists().where(
        CorrectionRow.conversation_id == DecisionRow.conversation_id,
        CorrectionRow.task == task,
        CorrectionRow.withdrawn_at.is_(None),
        ~CorrectionRow.confirms,
        CorrectionRow.label != by_now(DecisionRow.label, DecisionRow.at, names),
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
