"""The ports over the PostgreSQL of the database tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database, "tiny")


@pytest.fixture
def outbox(database: Database) -> PostgresOutbox:
    return PostgresOutbox(database)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for an embedded server. Its path is short, because a socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "postgres"
