"""Two workspaces in one process, with the same ids in both: whatever is tried, nothing of one reaches the other.

The whole of `switchboard run`, over the real clients, without a model server: examples decide.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from bot.app import forget
from bot.domain.messages import Person
from bot.running import serve
from bot.settings import Settings, load
from tests.acceptance.processes import free_address
from tests.servers.telegram import Post, TelegramServer

ANN, BILLING, IT = 5000, -1001, -1002
_SECONDS = 240.0
"""Seconds that a start may take on a busy machine; these tests do not measure speed."""
LEADS = {"": 1000, "acme": 2000}
TEXTS = {"": "the invoice is wrong", "acme": "the secret rocket does not start"}
TOKENS = {"": "1:main", "acme": "2:acme"}


def _api(name: str) -> str:
    return f"switchboard-token-of-{name or 'main'}-0123456789abcdef"


def _settings(name: str, telegram: TelegramServer) -> str:
    digest = hashlib.sha256(_api(name).encode()).hexdigest()
    return f"""
[conversation]
settle_seconds = 0.1
[platforms.telegram]
api_base_url = "{telegram.api_url}"
file_base_url = "{telegram.file_url}"
leads = [{LEADS[name]}]
[api.tokens.helpdesk]
digest = "sha256:{digest}"
scopes = ["read"]
[tasks.routing]
question = "Which team?"
fallback = "it"
[tasks.routing.labels.billing]
means = "Invoices"
examples = ["{TEXTS[name]}"]
emoji = {{ telegram = "🤝" }}
deliver_to = {{ telegram = "{BILLING}" }}
[tasks.routing.labels.it]
means = "Computers"
emoji = {{ telegram = "👾" }}
deliver_to = {{ telegram = "{IT}" }}
"""


@dataclass(frozen=True, slots=True)
class Both:
    """The bots of two workspaces."""

    settings: Settings
    telegram: dict[str, TelegramServer]
    urls: dict[str, str]
    running: "asyncio.Task[None]"

    def said(self, name: str) -> str:
        """All that the workspace's bot ever said, to anybody, in every wording."""
        telegram = self.telegram[name]
        posts = [post for chat in (ANN, BILLING, IT) for post in telegram.posts(chat)]
        return "\n".join(one.text for post in posts for one in (post, *post.edits))

    async def card(self, name: str, group: int = BILLING) -> Post:
        def cards() -> list[Post]:
            if self.running.done():
                self.running.result()  # says why
            return [post for post in self.telegram[name].posts(group) if TEXTS[name] in post.text]

        return (await self.telegram[name].until(cards, _SECONDS))[-1]

    def count(self, name: str, question: str, *given: object) -> int:
        with psycopg.connect(self.urls[name]) as connection:
            row = connection.execute(question.encode(), given).fetchone()
        assert row is not None
        return int(row[0])


@asynccontextmanager
async def _telegrams() -> AsyncIterator[dict[str, TelegramServer]]:
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(TelegramServer(token=TOKENS[name])) for name in TEXTS}
        for name, server in servers.items():
            for group, title in ((BILLING, "billing"), (IT, "it")):
                server.add_group(group, title)
                server.add_member(group, LEADS[name])
        yield servers


@pytest.fixture
async def both(database_url: str, tmp_path: Path) -> AsyncIterator[Both]:
    async with _telegrams() as servers:
        shared = f'[model]\nserver = "http://127.0.0.1:9"\n[web]\nlisten = "{free_address()}"\n'
        main = tmp_path / "switchboard.toml"
        main.write_text(shared + _settings("", servers[""]) + '[workspaces]\nacme = "acme.toml"\n', "utf-8")
        tmp_path.joinpath("acme.toml").write_text(_settings("acme", servers["acme"]), "utf-8")
        secrets = {"DATABASE_URL": database_url}
        secrets |= {"TELEGRAM_BOT_TOKEN": TOKENS[""], "TELEGRAM_BOT_TOKEN_ACME": TOKENS["acme"]}
        settings = load(main, secrets)
        running = asyncio.create_task(serve(settings), name="the bot")
        try:
            urls = {"": database_url, "acme": f"{database_url}&dbname=migrated_acme"}
            yield Both(settings, servers, urls, running)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            with psycopg.connect(database_url, autocommit=True) as connection:
                connection.execute("DROP DATABASE IF EXISTS migrated_acme WITH (FORCE)")


async def test_nothing_of_one_workspace_comes_to_the_other(both: Both) -> None:
    for name, telegram in both.telegram.items():
        await telegram.writes(ANN, TEXTS[name])
    cards = {name: await both.card(name) for name in TEXTS}
    # Telegram numbers messages for each bot: the same person, chat, group and number are two different things here
    assert (cards[""].chat, cards[""].message_id) == (cards["acme"].chat, cards["acme"].message_id)
    await _a_lead_of_one_rules_in_the_other(both, cards)
    await _addresses_and_tokens_of_one_open_nothing_of_the_other(both)
    await _who_is_forgotten_in_one_is_still_known_in_the_other(both)
    for name, other in (("", "acme"), ("acme", "")):
        assert TEXTS[name] in both.said(name)
        assert TEXTS[name] not in both.said(other)
        assert both.count(other, "SELECT count(*) FROM examples WHERE text = %s", TEXTS[name]) == 0


async def _a_lead_of_one_rules_in_the_other(both: Both, cards: dict[str, Post]) -> None:
    acme, card = both.telegram["acme"], cards["acme"]
    acme.add_member(card.chat, LEADS[""])
    await acme.reacts(LEADS[""], card.chat, card.message_id, ["👾"])
    await acme.reacts(LEADS["acme"], card.chat, card.message_id, ["👾"])
    await both.card("acme", IT)  # moved by acme's own lead, who reacted second
    assert both.count("acme", "SELECT count(*) FROM corrections") == 1
    by_acmes = f"%{LEADS['acme']}%"
    assert both.count("acme", "SELECT count(*) FROM corrections WHERE lead LIKE %s", by_acmes) == 1
    assert both.count("", "SELECT count(*) FROM corrections") == both.count("", "SELECT count(*) FROM reactions") == 0
    learned = "SELECT count(*) FROM examples WHERE source = 'correction'"
    assert (both.count("acme", learned), both.count("", learned)) == (1, 0)


async def _addresses_and_tokens_of_one_open_nothing_of_the_other(both: Both) -> None:
    web = both.settings.web
    async with httpx.AsyncClient(base_url=f"http://{web.host}:{web.port}", timeout=60) as browser:

        async def requests(path: str, name: str) -> httpx.Response:
            return await browser.get(f"{path}/api/requests", headers={"Authorization": f"Bearer {_api(name)}"})

        ours, theirs = await requests("", ""), await requests("/workspaces/acme", "acme")
        assert (ours.status_code, theirs.status_code) == (200, 200)
        assert (ours.text.count("conversation"), "billing" in ours.text, "billing" in theirs.text) != (0, False, True)
        assert (await requests("", "acme")).status_code == 401
        assert (await requests("/workspaces/acme", "")).status_code == 401
        ready = (await browser.get("/readyz")).json()
        assert ready["telegram"] and ready["acme.telegram"] and ready["acme.database"]
        assert "acme" not in (await browser.get("/workspaces/acme/readyz")).text
        for path in ("", "/workspaces/acme"):
            metrics = await browser.get(f"{path}/metrics")
            assert metrics.status_code == 200
            assert not any(text in metrics.text for text in TEXTS.values())


async def _who_is_forgotten_in_one_is_still_known_in_the_other(both: Both) -> None:
    await forget(both.settings, Person("telegram", str(ANN)))
    words = "SELECT count(*) FROM messages WHERE text <> ''"
    assert (both.count("", words), both.count("acme", words)) == (0, 1)
    assert both.count("acme", "SELECT count(*) FROM examples WHERE source = 'correction'") == 1
