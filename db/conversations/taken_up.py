"""Retired corrections count again once another adapter serves than the one that learned them."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.ledger import Change
from db.engine import announce
from db.tables import ExampleRow


async def take_up_again(session: AsyncSession, task: str, serving: str) -> None:
    """Let the memory vote again with corrections that were retired because of another adapter than this one."""
    others = ExampleRow.task == task, ExampleRow.retired_by.is_not(None), ExampleRow.retired_by != serving
    again = update(ExampleRow).where(*others).values(retired_by=None)
    await session.execute(again.execution_options(synchronize_session=False))
    await announce(session, Change.MODEL, Change.EXAMPLE)
