"""Turns: what only one process at a time may do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.engine import Database, translated


@asynccontextmanager
async def alone(database: Database, what: str) -> AsyncIterator[None]:
    """An advisory lock on a connection of its own: it dies with the connection, and so with the process."""
    connection = await database.dedicated()
    try:
        with translated():
            await connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 7))", [what])
        yield
    finally:
        await connection.close()
