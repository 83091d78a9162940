"""What tells this database from every other, for as long as it exists."""

from sqlalchemy import text

from db.engine import Database

_IDENTITY = text(
    "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()"
)


async def identity(database: Database) -> str:
    """The database's identity: the same for every caller, and another after a restore elsewhere. Raises Unreachable."""
    async with database.transaction() as session:
        return str(await session.scalar(_IDENTITY))
