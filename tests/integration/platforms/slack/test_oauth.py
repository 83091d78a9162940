"""The app installed with a browser: what Slack sends, who may install, and what remains after it is revoked."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet
from slack_sdk.signature import SignatureVerifier

from bot.domain.errors import Refused, Unreachable
from bot.domain.posts import Answer
from bot.platforms import PlatformContext
from bot.platforms.slack import PLATFORM, Config, Mode
from bot.platforms.slack.adapter import Slack
from bot.platforms.slack.check import check
from bot.platforms.slack.installed import InstalledToken
from bot.platforms.slack.manifest import SCOPES
from bot.platforms.slack.token_keys import TokenKeys
from db.engine import Database
from db.installations import PostgresInstallations
from tests.integration.platforms.slack.parts import ANN, HELP, LEAD, Recorder, around, item, site, speaking
from tests.servers.slack import SlackServer
from tests.servers.slack.oauth import CLIENT_ID, CLIENT_SECRET
from tests.servers.slack.state import TEAM

TOKEN = "xoxb-by-oauth"
KEY, OLD_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
OTHER_TEAM = "T0OTHER"


@pytest.fixture
def installations(database: Database) -> PostgresInstallations:
    return PostgresInstallations(database)


@pytest.fixture
def where(installations: PostgresInstallations) -> PlatformContext:
    return replace(around(), installations=installations)


def settings(server: SlackServer, keys: str = KEY, team: str = "") -> Config:
    secrets = {
        "SLACK_CLIENT_ID": CLIENT_ID,
        "SLACK_CLIENT_SECRET": CLIENT_SECRET,
        "SLACK_SIGNING_SECRET": server.signing_secret,
        "SLACK_TOKEN_KEYS": keys,
        "SLACK_API_BASE_URL": server.api_url,
    }
    table: dict[str, object] = {"mode": "http", "install": "oauth", "intake": [HELP], "leads": [LEAD]}
    return PLATFORM.parse(table | ({"team": team} if team else {}), secrets)


@dataclass(frozen=True, slots=True)
class Browser:
    """A person who installs the app."""

    client: httpx.AsyncClient
    address: str

    async def begins(self) -> tuple[str, str]:
        """The state that is sent to Slack, and the cookie."""
        page = await self.client.get(f"{self.address}/slack/install")
        assert page.status_code == 200
        [link] = re.findall(r'href="(https://slack.com/oauth/v2/authorize[^"]*)"', page.text)
        asked = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
        assert asked["client_id"] == [CLIENT_ID] and set(asked["scope"][0].split(",")) == set(SCOPES)
        return asked["state"][0], page.headers["set-cookie"].split(";")[0]

    async def returns(self, cookie: str, **query: str) -> httpx.Response:
        headers = {"Cookie": cookie} if cookie else {}
        return await self.client.get(f"{self.address}/slack/oauth_redirect", params=query, headers=headers)

    async def installs(self, code: str) -> httpx.Response:
        state, cookie = await self.begins()
        return await self.returns(cookie, state=state, code=code)


@asynccontextmanager
async def running(server: SlackServer, config: Config, where: PlatformContext, inbox: Recorder) -> AsyncIterator[Slack]:
    """The adapter, listening while the context lasts, whether the app is installed or not."""
    async with speaking(config, where) as slack:
        task = asyncio.create_task(slack.listen(inbox), name="listen")
        try:
            yield slack
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.wait([task])


@asynccontextmanager
async def browsing(server: SlackServer, slack: Slack) -> AsyncIterator[Browser]:
    async with site(server, slack) as url, httpx.AsyncClient() as client:
        server.sends_to(url)
        yield Browser(client, url.removesuffix("/slack/events"))


async def test_a_browser_installs_it_and_it_hears_and_speaks_without_a_restart(
    server: SlackServer, inbox: Recorder, where: PlatformContext, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.bot_token = "xoxb-none"
    async with running(server, settings(server), where, inbox) as slack, browsing(server, slack) as browser:
        assert not slack.healthy()
        with pytest.raises(Unreachable, match="not installed yet; open /slack/install"):
            await slack.say(item(Answer("billing", "en")))
        code = server.oauth.agrees(TOKEN)
        assert (await browser.installs(code)).status_code == 200
        await server.until(slack.healthy)
        await server.writes(ANN, HELP, "I was charged twice")
        await server.until(lambda: inbox.messages)
        await slack.say(item(Answer("billing", "en")))
    async with database.transaction() as session:
        rows = (await (await session.connection()).exec_driver_sql("SELECT account, secret FROM installations")).all()
    account, secret = list(rows[0])
    assert account == TEAM and TOKEN not in secret
    said = "".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        if record.name.startswith(("bot", "slack"))
    )
    assert TOKEN not in said and code not in said and CLIENT_SECRET not in said


async def test_the_next_process_has_the_token_and_uses_the_newest_key(
    server: SlackServer, inbox: Recorder, where: PlatformContext, installations: PostgresInstallations
) -> None:
    server.bot_token = "xoxb-none"
    async with running(server, settings(server, OLD_KEY), where, inbox) as slack, browsing(server, slack) as browser:
        await browser.installs(server.oauth.agrees(TOKEN))
        await server.until(slack.healthy)
    async with running(server, settings(server, f"{KEY},{OLD_KEY}"), where, inbox) as slack:
        await server.until(slack.healthy)
    stored = await installations.found("slack")
    assert stored is not None and TokenKeys([KEY]).opened(stored.secret) == TOKEN
    [refused] = [found async for found in check(settings(server, OLD_KEY), where)]
    assert "no key in SLACK_TOKEN_KEYS opens the token" in refused.remedy


@pytest.mark.parametrize("pinned", [True, False])
async def test_another_workspace_is_refused_and_nothing_of_it_is_heard(
    pinned: bool, server: SlackServer, inbox: Recorder, where: PlatformContext, installations: PostgresInstallations
) -> None:
    server.bot_token = "xoxb-none"
    config = settings(server, team=TEAM if pinned else "")
    async with running(server, config, where, inbox) as slack, browsing(server, slack) as browser:
        if not pinned:
            await browser.installs(server.oauth.agrees(TOKEN))
        answer = await browser.installs(server.oauth.agrees("xoxb-other", OTHER_TEAM))
        assert answer.status_code == 403 and f"for the Slack workspace {TEAM}" in answer.text
        if pinned:
            assert await installations.found("slack") is None
            await browser.installs(server.oauth.agrees(TOKEN))
        await server.until(slack.healthy)
        event = {"type": "message", "channel": HELP, "user": "U9", "text": "a secret of theirs", "ts": "1.000001"}
        for body in (
            {"team_id": OTHER_TEAM, "event": event},
            {"team_id": TEAM, "authorizations": [{"team_id": OTHER_TEAM}], "event": event},
            {"team_id": OTHER_TEAM, "event": {"type": "app_uninstalled"}},
            {"team_id": OTHER_TEAM, "event": {"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}}},
        ):
            posted = await _signed(browser, server, {"type": "event_callback", "event_id": "Ev9", **body})
            assert posted.status_code == 200
        assert slack.healthy() and inbox.tried == 0
        await server.writes(ANN, HELP, "ours")
        await server.until(lambda: inbox.messages)
    assert [message.text for message in inbox.messages.values()] == ["ours"]
    stored = await installations.found("slack")
    assert stored is not None and TokenKeys([KEY]).opened(stored.secret) == TOKEN


async def _signed(browser: Browser, server: SlackServer, body: Mapping[str, object]) -> httpx.Response:
    text, stamp = json.dumps(body), str(int(time.time()))
    signature = SignatureVerifier(server.signing_secret).generate_signature(timestamp=stamp, body=text) or ""
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature, "Content-Type": "application/json"}
    return await browser.client.post(f"{browser.address}/slack/events", content=text, headers=headers)


async def test_a_state_is_good_once_for_its_browser_and_for_ten_minutes(
    server: SlackServer,
    inbox: Recorder,
    where: PlatformContext,
    installations: PostgresInstallations,
    database: Database,
) -> None:
    server.bot_token = "xoxb-none"
    async with running(server, settings(server), where, inbox) as slack, browsing(server, slack) as browser:
        code = server.oauth.agrees(TOKEN)
        state, cookie = await browser.begins()
        assert (await browser.returns("", state=state, code=code)).status_code == 400
        assert (await browser.returns(cookie, state="made-up", code=code)).status_code == 400
        assert (await browser.returns(cookie, code=code)).status_code == 400
        assert "no copy" not in (await browser.returns(cookie, error="access_denied", state=state)).text
        async with database.transaction() as session:
            await (await session.connection()).exec_driver_sql(
                "UPDATE oauth_states SET expires_at = now() - '1s'::interval"
            )
        late = await browser.returns(cookie, state=state, code=code)
        assert late.status_code == 401 and "longer than ten minutes" in late.text
        state, cookie = await browser.begins()
        assert (await browser.returns(cookie, state=state, code="made-up")).status_code == 401
        assert (await browser.returns(cookie, state=state, code=code)).status_code == 401, "it was used"
        assert await installations.found("slack") is None
        assert (await browser.installs(code)).status_code == 200


async def _until_forgotten(installations: PostgresInstallations) -> None:
    """Return when the account is known and its token is not. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while True:
            stored = await installations.found("slack")
            if stored is not None and (stored.account, stored.secret) == (TEAM, ""):
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["app_uninstalled", "tokens_revoked"])
async def test_taken_back_it_forgets_the_token_and_may_be_installed_again(
    how: str, server: SlackServer, inbox: Recorder, where: PlatformContext, installations: PostgresInstallations
) -> None:
    server.bot_token = "xoxb-none"
    async with running(server, settings(server), where, inbox) as slack, browsing(server, slack) as browser:
        await browser.installs(server.oauth.agrees(TOKEN))
        await server.until(slack.healthy)
        del server.oauth.tokens[TOKEN]
        server.emits({"type": how, "tokens": {"bot": ["U0BOT"]}})
        await _until_forgotten(installations)
        assert not slack.healthy()
        with pytest.raises(Unreachable):
            await slack.say(item(Answer("billing", "en")))
        assert (await browser.installs(server.oauth.agrees("xoxb-again"))).status_code == 200
        await server.until(slack.healthy)


async def test_a_token_that_slack_refuses_when_we_start_is_forgotten_and_the_page_is_open(
    server: SlackServer, inbox: Recorder, where: PlatformContext
) -> None:
    server.bot_token = "xoxb-none"
    async with running(server, settings(server), where, inbox) as slack, browsing(server, slack) as browser:
        await browser.installs(server.oauth.agrees(TOKEN))
        await server.until(slack.healthy)
    server.oauth.tokens.clear()
    async with running(server, settings(server), where, inbox) as slack, browsing(server, slack) as browser:
        await browser.installs(server.oauth.agrees("xoxb-again"))
        await server.until(slack.healthy)


async def test_what_another_process_installed_is_used_here(
    server: SlackServer, inbox: Recorder, where: PlatformContext, installations: PostgresInstallations
) -> None:
    token = InstalledToken(installations, TokenKeys([KEY]), look_seconds=0.01)
    waiting = asyncio.create_task(token.arrived())
    async with running(server, settings(server), where, inbox) as slack, browsing(server, slack) as browser:
        await browser.installs(server.oauth.agrees(TOKEN))
    async with asyncio.timeout(10):
        assert await waiting == TOKEN
        ended = asyncio.create_task(token.while_current(_for_ever()))
        await installations.take_back("slack", token.in_use)
        await ended


async def _for_ever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"is_enterprise_install": True, "team": None}, "not in a whole organisation"),
        ({"refresh_token": "xoxe-1", "expires_in": 43200}, "Turn token rotation off"),
    ],
)
async def test_what_cannot_be_used_is_refused_with_the_reason(
    answer: dict[str, object], sentence: str, server: SlackServer, inbox: Recorder, where: PlatformContext
) -> None:
    async with running(server, settings(server), where, inbox) as slack, browsing(server, slack) as browser:
        refused = await browser.installs(server.oauth.agrees(TOKEN, more=answer))
        assert refused.status_code == 403 and sentence in refused.text
        assert not slack.healthy()


async def test_a_slack_that_is_down_installs_nothing(
    server: SlackServer, inbox: Recorder, where: PlatformContext, installations: PostgresInstallations
) -> None:
    async with running(server, settings(server), where, inbox) as slack, browsing(server, slack) as browser:
        server.fail("oauth.v2.access", status=500)
        refused = await browser.installs(server.oauth.agrees(TOKEN))
        assert refused.status_code == 401 and "Slack did not confirm it" in refused.text
        assert await installations.found("slack") is None
    [found] = [finding async for finding in check(settings(server), where)]
    assert "open /slack/install" in found.remedy


async def test_with_a_copied_token_there_are_no_such_pages(server: SlackServer) -> None:
    from tests.integration.platforms.slack.parts import config

    async with speaking(config(server, Mode.HTTP)) as slack:
        assert [route.path for route in slack.routes] == ["/slack/events"]  # type: ignore[attr-defined]


async def test_one_state_for_two_who_come_at_once(installations: PostgresInstallations) -> None:
    from bot.store import now

    await installations.issue("word", now())
    tries = await asyncio.gather(*(installations.consume("word", now().replace(year=2000)) for _ in range(5)))
    assert sorted(tries) == [False, False, False, False, True]


def test_no_key_opens_what_another_sealed() -> None:
    sealed = TokenKeys([OLD_KEY]).sealed(TOKEN)
    with pytest.raises(Refused, match="SLACK_TOKEN_KEYS"):
        TokenKeys([KEY]).opened(sealed)
    assert TokenKeys([KEY, OLD_KEY]).renewed(TokenKeys([KEY]).sealed(TOKEN))
