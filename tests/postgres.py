"""A real PostgreSQL for tests: one server a session, one fresh database a test.

A conftest takes it with `pytest_plugins = ["tests.postgres"]` in the root conftest, or by importing the fixtures.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from db.embedded import serving
from db.engine import Database, open_database
from db.migrate import upgrade

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running server; the URL of its `postgres` database."""
    folder = Path(tempfile.mkdtemp(prefix="switchboard-tests-"))
    with serving(folder) as url:
        yield url
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> str:
    """The name of a migrated, empty database that fresh ones are copied from."""
    make_database(postgres_url, "migrated")
    upgrade(named(postgres_url, "migrated"))
    return "migrated"


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh database without a schema; dropped afterwards."""
    yield from _fresh(postgres_url, "template1")


@pytest.fixture
def database_url(postgres_url: str, _template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database; dropped afterwards."""
    yield from _fresh(postgres_url, _template)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh, migrated database, open."""
    async with open_database(database_url) as opened:
        yield opened


def named(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return url.replace("/postgres?", f"/{name}?")


def make_database(url: str, name: str, template: str = "template1") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())


def _fresh(url: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    make_database(url, name, template)
    yield named(url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
