"""A real PostgreSQL for tests: one server a session, one fresh database a test.

A conftest uses it with `pytest_plugins = ["tests.postgres"]` in the root conftest, or by importing the fixtures.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from db.engine import Database, open_database
from db.migrate import upgrade
from db.server.embedded import serving
from db.tables import Table

_numbers = count(1)
_HURRY = b"fsync = off", b"synchronous_commit = off", b"full_page_writes = off"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running server; the URL of its `postgres` database."""
    folder = Path(tempfile.mkdtemp(prefix="switchboard-tests-"))
    with serving(folder) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for setting in (*_HURRY, b"autovacuum = off"):  # it counts at times of its own, which changes its plans
                connection.execute(b"ALTER SYSTEM SET " + setting)
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


@dataclass
class _Emptier:
    """Empties a migrated database over one connection a session, because a new one first reads the whole schema."""

    url: str
    connection: psycopg.Connection | None = None

    def empty(self) -> None:
        try:
            self._empty()
        except psycopg.OperationalError:  # a test ended all connections
            self.connection = None
            self._empty()

    def _empty(self) -> None:
        if self.connection is None:
            self.connection = psycopg.connect(self.url, autocommit=True, application_name="tests empty it")
        filled = [name for (name,) in self.connection.execute(_FILLED)]
        [(large,)] = self.connection.execute(_LARGE)
        if large:
            self.connection.execute(f"TRUNCATE {', '.join(_TABLES)}".encode())
        else:
            self.connection.execute("".join(f"DELETE FROM {name};" for name in filled).encode())  # noqa: S608  ours
        self.connection.execute(_FROM_ONE)
        self.connection.execute(_TAKEN_FOR_EMPTY)


@pytest.fixture(scope="session")
def _emptier(_migrated: str) -> Iterator[_Emptier]:
    emptier = _Emptier(_migrated)
    yield emptier
    if emptier.connection is not None:
        emptier.connection.close()


@pytest.fixture
def database_url(_emptier: _Emptier) -> str:
    """The URL of a migrated database with nothing in it, ids starting at 1."""
    _emptier.empty()
    return _emptier.url


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
    """Return when the server makes somebody wait for an advisory lock of that database. Raises TimeoutError."""
    async with asyncio.timeout(seconds), await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            found = await connection.execute(_HELD_BACK)
            if await found.fetchone() is not None:
                return
            await asyncio.sleep(0.01)


def upgraded(url: str) -> str:
    upgrade(url)
    return url


_TABLES = [table.name for table in reversed(Table.metadata.sorted_tables)]
"""Rows that refer to others are deleted first."""
_FILLED = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in _TABLES).encode()  # noqa: S608
_LARGE = "SELECT greatest({}) > 1000000".format(", ".join(f"pg_relation_size('{name}')" for name in _TABLES)).encode()
"""Many rows are slow to delete one by one, because each is checked for references; and old rows change plans."""
_FROM_ONE = b"""
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
_TAKEN_FOR_EMPTY = b"""
UPDATE pg_class SET relpages = 10, reltuples = 0 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
"""Statistics as after a table was emptied and analysed: the worst for the planner, and the same in every run."""
