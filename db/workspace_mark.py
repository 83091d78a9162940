"""Which workspace a database belongs to: written in it once, so that no other workspace ever opens it by mistake."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from bot.domain.errors import UsageError
from db.engine import Database
from db.tables import WorkspaceRow


async def claim_database(database: Database, workspace: str) -> None:
    """Make the database this workspace's from now on. Raises UsageError if it is another workspace's; Unreachable."""
    async with database.transaction() as session:
        await session.execute(insert(WorkspaceRow).values(name=workspace).on_conflict_do_nothing())
        owner = (await session.execute(select(WorkspaceRow.name))).scalar_one()
    if owner != workspace:
        raise UsageError(
            f"database {database.place} holds what {_called(owner)} remembers, and {_called(workspace)} must not see "
            "it; give each a database of its own"
        )


async def hand_over(database: Database, workspace: str) -> None:
    """Make the database this workspace's, whosever it was: a backup is put into it on purpose. Raises Unreachable."""
    async with database.transaction() as session:
        await session.execute(delete(WorkspaceRow))
        await session.execute(insert(WorkspaceRow).values(name=workspace))


def _called(workspace: str) -> str:
    return f"the workspace {workspace}" if workspace else "the workspace without a name"
