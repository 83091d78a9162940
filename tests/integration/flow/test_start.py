"""A bot whose database dies while it starts waits for it; one whose database never answered ends with an error."""

import asyncio
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from bot.domain.errors import Unreachable
from bot.running import serve
from bot.settings import Settings, load
from db.engine import Database
from db.identity import identity
from db.server.embedded import serving
from tests.acceptance.processes import free_address
from tests.postgres_servers import free_port
from tests.waiting import until

SETTINGS = """
[model]
server = "http://127.0.0.1:9"
[web]
listen = "{listen}"
[platforms.web]
[tasks.routing]
question = "Which team?"
fallback = "it"
[tasks.routing.labels.it]
means = "Computers"
emoji = {{ web = "👾" }}
deliver_to = {{ web = "it" }}
[tasks.routing.labels.billing]
means = "Invoices"
emoji = {{ web = "💰" }}
deliver_to = {{ web = "billing" }}
"""


def _settings(folder: Path, url: str) -> Settings:
    file = folder / "switchboard.toml"
    file.write_text(SETTINGS.format(listen=free_address()), "utf-8")
    return load(file, {"DATABASE_URL": url})


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr("bot.running.say", heard.append)
    monkeypatch.setattr("bot.running._START_AGAIN", 0.1)
    return heard


async def test_a_database_that_dies_while_the_bot_starts_is_waited_for(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "postgres"
    with ExitStack() as server:
        url = server.enter_context(serving(folder))

        async def dies(database: Database) -> str:
            await asyncio.to_thread(server.close)
            return await identity(database)

        monkeypatch.setattr("bot.running.identity", dies)
        running = asyncio.create_task(serve(_settings(tmp_path, url)))
        try:
            await until(lambda: running.done() or len(said) >= 2, 60)  # so it failed again without its database
            assert not running.done(), running.exception()
            assert "It answered before" in said[0]
            with serving(folder):
                monkeypatch.setattr("bot.running.identity", identity)
                await until(lambda: running.done() or said[-1].startswith("Switchboard runs on"), 60)
                assert not running.done(), running.exception()
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running
        finally:
            running.cancel()


async def test_a_database_that_never_answered_ends_the_start(tmp_path: Path, said: list[str]) -> None:
    url = f"postgresql://postgres:secret@127.0.0.1:{free_port()}/postgres"
    with pytest.raises(Unreachable, match="nobody listens there; start it, or mend host and port"):
        await asyncio.wait_for(serve(_settings(tmp_path, url)), 60)
    assert said == []
