"""The ports over the database tests' PostgreSQL."""

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
