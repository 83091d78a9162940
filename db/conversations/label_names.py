"""The current names of former teams."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.team_changes import Kind, present_names
from db.tables import LabelChangeRow


async def names_by_now(session: AsyncSession, task: str) -> dict[str, str]:
    """Former name -> the team's current name; a retired team has no entry."""
    made = select(LabelChangeRow.kind, LabelChangeRow.before, LabelChangeRow.after).where(LabelChangeRow.task == task)
    rows = await session.execute(made.order_by(LabelChangeRow.id))
    return present_names((Kind(kind), before, after) for kind, before, after in rows)
