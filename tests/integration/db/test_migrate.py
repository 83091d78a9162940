"""The schema comes up, goes down, and is what the tables say."""

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
