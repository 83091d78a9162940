"""Turns: work that only one process at a time may do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.engine import Database


@asynccontextmanager
async def alone(database: Database, what: str) -> AsyncIterator[None]:
    """Wait for the turn, and hold it until the end, or until the connection or the process dies."""
    async with database.locked(what, wait=True):
        yield
