"""A database for each workspace: created beside the others, and never opened as another workspace's."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest

from bot.domain.errors import UsageError
from db.connection_url import parsed
from db.engine import Database, open_database
from db.migrate import upgrade
from db.server.own_database import own_database
from db.workspace_mark import claim_database, hand_over

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
async def acme(postgres_url: str) -> AsyncIterator[str]:
    """The URL of the workspace's own database; dropped afterwards."""
    yield own_database(postgres_url, "acme")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE postgres_acme WITH (FORCE)")


async def test_a_workspace_has_a_database_of_its_own(postgres_url: str, acme: str) -> None:
    assert own_database(postgres_url, "acme") == acme  # a second time changes nothing
    assert parsed(acme).name == "postgres_acme"
    with psycopg.connect(acme) as connection:
        found = connection.execute(
            "SELECT current_database(), pg_encoding_to_char(encoding) FROM pg_database "
            "WHERE datname = current_database()"
        ).fetchone()
    assert found == ("postgres_acme", "UTF8")
    upgrade(acme)
    async with open_database(acme) as database:
        await claim_database(database, "acme")
        await claim_database(database, "acme")


async def test_what_is_one_workspaces_no_other_opens(database: Database) -> None:
    await claim_database(database, "acme")
    for other in ("beta", ""):
        with pytest.raises(UsageError, match="holds what the workspace acme remembers"):
            await claim_database(database, other)
    await claim_database(database, "acme")


async def test_what_was_there_before_there_were_names_stays_the_unnamed_ones(database: Database) -> None:
    await claim_database(database, "")
    with pytest.raises(UsageError, match="holds what the workspace without a name remembers, and the workspace acme"):
        await claim_database(database, "acme")


async def test_who_restores_a_backup_hands_it_over(database: Database) -> None:
    await claim_database(database, "")
    await hand_over(database, "acme")
    await claim_database(database, "acme")


async def test_who_may_make_no_database_is_told_the_statement(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE poor LOGIN")
    try:
        with pytest.raises(UsageError, match=r'CREATE DATABASE "postgres_acme" .* DATABASE_URL_ACME'):
            own_database(postgres_url.replace("postgres@", "poor@"), "acme")
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("DROP ROLE poor")
