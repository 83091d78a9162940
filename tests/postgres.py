"""A real PostgreSQL for tests: one server a session, one fresh database a test.

A conftest takes it with `pytest_plugins = ["tests.postgres"]` in the root conftest, or by importing the fixtures.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from db.engine import Database, open_database
from db.migrate import upgrade
from db.server.embedded import serving
from db.tables import Table

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running server; the URL of its `postgres` database."""
    folder = Path(tempfile.mkdtemp(prefix="switchboard-tests-"))
    with serving(folder) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for hurry in (b"fsync = off", b"synchronous_commit = off", b"full_page_writes = off"):
                connection.execute(b"ALTER SYSTEM SET " + hurry)
            connection.execute("SELECT pg_reload_conf()")
        yield url
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def _migrated(postgres_url: str) -> str:
    return upgraded(make_database(postgres_url, "migrated"))


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh database without a schema; dropped afterwards."""
    name = f"empty_{next(_numbers)}"
    yield make_database(postgres_url, name)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def database_url(_migrated: str) -> str:
    """The URL of a migrated database with nothing in it, ids starting at 1. Emptying is ten times as fast as making."""
    with psycopg.connect(_migrated, autocommit=True) as connection:
        connection.execute(_EMPTY.encode())
    return _migrated


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database with nothing in it, open."""
    async with open_database(database_url) as opened:
        yield opened


def make_database(url: str, name: str) -> str:
    """Make one more database on the server behind a URL; the URL of the new one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return url.replace("/postgres?", f"/{name}?")


_HELD_BACK = """
SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def until_a_lock_is_waited_for(url: str, seconds: float = 10.0) -> None:
    """Return when the server holds somebody back for an advisory lock of that database. Raises TimeoutError."""
    async with asyncio.timeout(seconds), await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            found = await connection.execute(_HELD_BACK)
            if await found.fetchone() is not None:
                return
            await asyncio.sleep(0.01)


def upgraded(url: str) -> str:
    upgrade(url)
    return url


def _emptied(table: str, columns: Iterable[str]) -> str:
    again = f"ALTER TABLE {table} ALTER id RESTART" if "id" in columns else ""
    return f"DELETE FROM {table}; {again};"  # noqa: S608  names of our own tables


_EMPTY = "".join(_emptied(table.name, table.c.keys()) for table in reversed(Table.metadata.sorted_tables))
