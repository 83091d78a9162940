"""The database tests' PostgreSQL, and the ports over it."""

import pytest

from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.postgres import _migrated, database, database_url, empty_url, postgres_url

__all__ = ["_migrated", "database", "database_url", "empty_url", "postgres_url"]


@pytest.fixture
def ledger(database: Database) -> PostgresLedger:
    return PostgresLedger(database, "tiny")


@pytest.fixture
def outbox(database: Database) -> PostgresOutbox:
    return PostgresOutbox(database)
