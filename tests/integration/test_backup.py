"""A backup of a whole workspace: verified, restored in another folder, adapters included."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bot import database
from bot.domain.errors import UsageError
from bot.domain.learning import Adapter
from bot.settings import Settings, load
from bot.store import open_store
from inference.adapters import digest_of
from tests.postgres import make_database

SETTINGS = """
[platforms.web]
[tasks.routing]
question = "Which team?"
fallback = "triage"
[tasks.routing.labels.billing]
means = "Invoices"
deliver_to = { web = "billing" }
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { web = "triage" }
"""


def settings_in(folder: Path, url: str) -> Settings:
    folder.mkdir()
    (folder / "switchboard.toml").write_text(SETTINGS, "utf-8")
    return load(folder / "switchboard.toml", {"DATABASE_URL": url})


@pytest.fixture
def another_url(postgres_url: str) -> Iterator[str]:
    yield make_database(postgres_url, "restored_into")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute('DROP DATABASE "restored_into" WITH (FORCE)')


async def grown(settings: Settings) -> Path:
    """A serving adapter; its folder."""
    folder = settings.model.runs / "routing-1" / "adapter"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}", "utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    now = datetime.now(UTC)
    async with open_store(settings) as store:
        adapter = Adapter("routing-1", "routing", folder, "starter", {}, 1.0, now, digest=digest_of(folder))
        await store.registry.add_adapter(adapter)
        await store.registry.promote("routing", "routing-1", "test", "it serves", now, base="starter")
    return folder


async def test_everything_comes_back_in_another_folder(
    tmp_path: Path, empty_url: str, another_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = settings_in(tmp_path / "here", empty_url), settings_in(tmp_path / "there", another_url)
    await grown(here)
    file = tmp_path / "all.backup"
    await database.backup(here, file, verify=True)
    assert "verified: restored into a scratch database" in capsys.readouterr().err
    await database.restore_backup(there, file)
    async with open_store(there) as store:
        champion = await store.registry.champion("routing", "starter")
    assert champion is not None
    assert champion.path == there.model.runs / "routing-1" / "adapter"
    assert champion.digest == digest_of(champion.path)


async def test_an_adapter_that_was_changed_is_found_by_verifying(tmp_path: Path, empty_url: str) -> None:
    here = settings_in(tmp_path / "here", empty_url)
    folder = await grown(here)
    (folder / "adapter_model.safetensors").write_bytes(b"other weights")
    with pytest.raises(UsageError, match=r"the files of adapter routing-1/adapter are not those that were judged"):
        await database.backup(here, tmp_path / "all.backup", verify=True)


async def test_a_backup_is_made_before_an_upgrade(tmp_path: Path, empty_url: str) -> None:
    """It upgrades nothing, and says so if the database contains nothing of ours."""
    here = settings_in(tmp_path / "here", empty_url)
    with pytest.raises(UsageError, match="there is nothing of Switchboard's in it"):
        await database.backup(here, tmp_path / "all.backup")
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)
