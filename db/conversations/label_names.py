"""The current names of former teams."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.team_changes import FormerNames, Kind, former_names
from db.tables import LabelChangeRow


async def names_by_now(session: AsyncSession, task: str) -> FormerNames:
    """What the labels of past decisions are called now."""
    change = LabelChangeRow
    made = select(change.kind, change.before, change.after, change.at).where(change.task == task)
    rows = await session.execute(made.order_by(change.id))
    return former_names((Kind(kind), before, after, at) for kind, before, after, at in rows)
