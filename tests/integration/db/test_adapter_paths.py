"""The database holds no absolute path: a backup and its folder of runs work in any place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from bot.domain.learning import Adapter
from db.adapter_paths import AdapterPaths
from db.engine import Database, open_database
from db.migrate import downgrade, upgrade
from db.registry import PostgresRegistry
from db.server.backup import dump, restore

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def adapter(path: Path, name: str = "routing-1") -> Adapter:
    return Adapter(name, "routing", path, "starter", {"billing": "A"}, 1.5, NOW)


def _rows(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT name, path FROM adapters").fetchall())


async def test_a_backup_and_a_copied_folder_of_runs_work_elsewhere(
    database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    here, there, program = tmp_path / "here" / "runs", tmp_path / "there" / "other name", tmp_path / "program"
    registry = PostgresRegistry(database, AdapterPaths(here, program))
    await registry.add_adapter(adapter(here / "routing-1" / "adapter"))
    await registry.add_adapter(adapter(program / "adapter", "routing-seed"))
    await registry.promote("routing", "routing-1", "command", "by hand", NOW, base="starter")
    assert not any(path.startswith("/") for path in _rows(database_url).values())
    dump(database_url, tmp_path / "backup")
    restore(empty_url, tmp_path / "backup")
    async with open_database(empty_url) as restored:
        elsewhere = PostgresRegistry(restored, AdapterPaths(there, tmp_path / "checkout"))
        champion = await elsewhere.champion("routing", "starter")
        assert champion == adapter(there / "routing-1" / "adapter")
        paths = {found.name: found.path for found in await elsewhere.adapters("routing")}
    assert paths["routing-seed"] == tmp_path / "checkout" / "adapter"


async def test_what_was_stored_before_is_made_relative(empty_url: str, tmp_path: Path) -> None:
    upgrade(empty_url)
    downgrade(empty_url, "0003")
    stored = {
        "routing-1": "/srv/bot/var/runs/routing-1/adapter",
        "routing-2": "/somewhere/else/routing-2/adapter",
        "routing-seed": "/opt/checkout/inference/starter/seed/adapter",
        "by-hand": "/models/mine",
    }
    with psycopg.connect(empty_url) as connection:
        for name, path in stored.items():
            connection.execute(
                "INSERT INTO adapters (task, name, path, base, codes, temperature, made_at) "
                "VALUES ('routing', %s, %s, 'starter', '{}', 1, now())",
                [name, path],
            )
    upgrade(empty_url)
    assert _rows(empty_url) == {
        "routing-1": "routing-1/adapter",
        "routing-2": "routing-2/adapter",
        "routing-seed": "starter:adapter",
        "by-hand": "/models/mine",
    }


def test_an_absolute_path_is_kept_while_it_leads_somewhere(tmp_path: Path) -> None:
    runs, outside = tmp_path / "runs", tmp_path / "outside" / "routing-1" / "adapter"
    outside.mkdir(parents=True)
    paths = AdapterPaths(runs)
    assert paths.stored(outside) == str(outside)
    assert paths.found(str(outside)) == outside
    (runs / "routing-1" / "adapter").mkdir(parents=True)
    assert paths.found("/gone/runs/routing-1/adapter") == runs / "routing-1" / "adapter"
    assert paths.found("/gone/and/nowhere") == Path("/gone/and/nowhere")


def test_a_folder_reached_over_a_link_is_below_it_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "real" / "routing-1").mkdir(parents=True)
    (tmp_path / "runs").symlink_to(tmp_path / "real")
    paths = AdapterPaths(tmp_path / "runs")
    assert paths.stored(tmp_path / "real" / "routing-1" / "adapter") == "routing-1/adapter"


@pytest.mark.parametrize("first", [timedelta(0), timedelta(hours=1)])
async def test_the_latest_tick_is_remembered(database: Database, first: timedelta) -> None:
    registry = PostgresRegistry(database)
    assert await registry.last_tick("routing") is None
    await registry.record_tick("routing", NOW + first)
    await registry.record_tick("routing", NOW)
    assert await registry.last_tick("routing") == NOW + first
    assert await registry.last_tick("sentiment") is None


async def test_a_tick_of_a_clock_that_was_wrong_is_put_right(database: Database) -> None:
    registry = PostgresRegistry(database)
    await registry.record_tick("routing", NOW + timedelta(days=9_000))
    await registry.record_tick("routing", NOW)
    assert await registry.last_tick("routing") == NOW
