"""The schema can be upgraded and downgraded, and matches the tables."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from bot.domain.errors import ConfigError, Unreachable, UsageError
from db.connection_url import parsed
from db.migrate import blocking_engine, downgrade, upgrade
from db.tables import Table


def _tables(url: str) -> set[str]:
    engine = blocking_engine(parsed(url))
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def test_up_down_up(empty_url: str) -> None:
    upgrade(empty_url)
    assert _tables(empty_url) == set(Table.metadata.tables)
    downgrade(empty_url)
    assert _tables(empty_url) == set()
    upgrade(empty_url)
    assert _tables(empty_url) == set(Table.metadata.tables)


def test_models_equal_migrations(database_url: str) -> None:
    engine = blocking_engine(parsed(database_url))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    engine.dispose()
    assert differences == []


def test_several_processes_may_upgrade_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [empty_url] * 4))
    assert _tables(empty_url) == set(Table.metadata.tables)


def test_upgrading_does_not_depend_on_the_current_directory(
    empty_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    upgrade(empty_url)
    assert "conversations" in _tables(empty_url)


def test_a_schema_from_the_future_is_explained(empty_url: str) -> None:
    upgrade(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UsageError, match="not one this Switchboard knows"):
        upgrade(empty_url)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        upgrade("postgresql://nobody@127.0.0.1:1/nothing")


@pytest.mark.parametrize("url", ["mysql://host/name", "no url at all"])
def test_a_url_of_something_else_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match=r"PostgreSQL|not a URL"):
        upgrade(url)


def _at_0003(url: str) -> psycopg.Connection:
    """A database as the version before the second task left it."""
    upgrade(url)
    downgrade(url, "0003")
    return psycopg.connect(url, autocommit=True)


_OLD_EXAMPLE = (
    "INSERT INTO examples (task, text, text_key, label, source, side, at, recorded_at, quarantined)"
    " VALUES (%s, %s, %s, 'billing', 'seed', %s, '2000-01-01T00:00:00Z', '2000-01-01T00:00:00Z', false)"
)


def test_what_the_settings_had_said_becomes_theirs_and_a_demos_seed_stays(empty_url: str) -> None:
    with _at_0003(empty_url) as connection:
        for task, words, side in (
            ("routing", "invoices", "train"),
            ("company", "a seed", "train"),
            ("company", "another", "held-out"),
        ):
            connection.execute(_OLD_EXAMPLE, (task, words, words, side))
        upgrade(empty_url)
        found = connection.execute("SELECT text, source, extract(year FROM at) > 2000 FROM examples ORDER BY id")
        assert found.fetchall() == [
            ("invoices", "settings", True),
            ("a seed", "seed", False),
            ("another", "seed", False),
        ]
        downgrade(empty_url, "0003")
        found = connection.execute("SELECT DISTINCT source, extract(year FROM at)::int FROM examples")
        assert found.fetchall() == [("seed", 2000)]


def test_what_was_decided_and_corrected_before_was_of_the_task_that_routes(empty_url: str) -> None:
    with _at_0003(empty_url) as connection:
        connection.execute(
            "INSERT INTO conversations (platform, chat, person_id, person_name, state, started_at, last_at, version,"
            " asked, asked_for_words, resting)"
            " VALUES ('web', 'c', 'p', 'P', 'routed', now(), now(), 1, false, false, false)"
        )
        connection.execute(
            'INSERT INTO decisions (conversation_id, task, label, "by", reason, probabilities, evidence, candidates,'
            " at) VALUES (1, 'teams', 'billing', 'model', 'confident', '{}', '{}', '{}', now())"
        )
        connection.execute(
            "INSERT INTO corrections (conversation_id, label, lead, at, confirms, disputed)"
            " VALUES (1, 'it', 'web:lead', now(), false, false)"
        )
        upgrade(empty_url)
        assert connection.execute("SELECT task FROM conversations").fetchall() == [("teams",)]
        assert connection.execute("SELECT task FROM corrections").fetchall() == [("teams",)]
        downgrade(empty_url, "0003")
        assert connection.execute("SELECT label FROM corrections").fetchall() == [("it",)]
