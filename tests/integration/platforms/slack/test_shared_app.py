"""One app in two Slack workspaces: each receives and sends only its own messages, by one address and one page."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier

from bot.domain.errors import Refused
from bot.domain.posts import Answer
from bot.platforms import PlatformContext, SharesApp
from bot.platforms.slack import PLATFORM, Config
from bot.platforms.slack.adapter import Slack
from db.engine import Database, open_database
from db.installations import PostgresInstallations
from db.migrate import upgrade
from db.server.own_database import own_database
from tests.integration.platforms.slack.parts import HELP, LEAD, FakeDesk, Recorder, around, item
from tests.integration.platforms.slack.test_oauth import Browser, browsing, running, settings
from tests.servers.slack import SlackServer, User
from tests.servers.slack.state import TEAM

ACME = "T0ACME"


@dataclass(slots=True)
class Shared:
    """Two workspaces that share an app, and a browser at the first one's address."""

    server: SlackServer
    first: Slack
    acme: Slack
    browser: Browser
    ours: Recorder = field(default_factory=Recorder)
    theirs: Recorder = field(default_factory=Recorder)
    our_desk: FakeDesk = field(default_factory=FakeDesk)
    their_desk: FakeDesk = field(default_factory=FakeDesk)

    async def posts(self, body: Mapping[str, object], form: bool = False, secret: str = "") -> httpx.Response:
        """What Slack posts, signed."""
        text, stamp = urlencode(body) if form else json.dumps(body), str(int(time.time()))
        verifier = SignatureVerifier(secret or self.server.signing_secret)
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        headers = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": verifier.generate_signature(timestamp=stamp, body=text) or "",
            "Content-Type": kind,
        }
        return await self.browser.client.post(f"{self.browser.address}/slack/events", content=text, headers=headers)

    async def says(self, team: str, text: str, number: int) -> int:
        event = {"type": "message", "channel": HELP, "user": "U0ANN", "text": text, "ts": f"{number}.000001"}
        body = {"type": "event_callback", "event_id": f"Ev{number}", "team_id": team, "event": event}
        return (await self.posts(body)).status_code

    async def installs(self) -> None:
        for token, team, slack in (("xoxb-ours", TEAM, self.first), ("xoxb-theirs", ACME, self.acme)):
            assert (await self.browser.installs(self.server.oauth.agrees(token, team))).status_code == 200
            await self.server.until(slack.healthy)


def sharing(server: SlackServer, **changes: object) -> Config:
    table: dict[str, object] = {
        "mode": "http",
        "install": "oauth",
        "shares_app": True,
        "team": ACME,
        "intake": [HELP],
        "leads": [LEAD],
    }
    return PLATFORM.parse(table | changes, {"SLACK_API_BASE_URL": server.api_url})


@pytest.fixture
async def their_database(database_url: str) -> AsyncIterator[Database]:
    url = await asyncio.to_thread(own_database, database_url, "acme")
    await asyncio.to_thread(upgrade, url)
    async with open_database(url) as database:
        async with database.transaction() as session:
            await (await session.connection()).exec_driver_sql("TRUNCATE installations, oauth_states")
        yield database


@pytest.fixture
async def shared(server: SlackServer, database: Database, their_database: Database) -> AsyncIterator[Shared]:
    server.bot_token = "xoxb-none"
    first = settings(server)
    config = PLATFORM.together(first, {"acme": sharing(server)})["acme"]
    assert isinstance(config, Config)
    ours, theirs, desks = Recorder(), Recorder(), (FakeDesk(), FakeDesk())
    async with AsyncExitStack() as stack:

        def place(of: Database, desk: FakeDesk) -> PlatformContext:
            return replace(around(desk), installations=PostgresInstallations(of))

        acme = await stack.enter_async_context(PLATFORM.connect(config, place(their_database, desks[1])))
        assert isinstance(acme, Slack)
        slack = await stack.enter_async_context(_handing_on(server, first, place(database, desks[0]), ours, acme))
        hearing = asyncio.create_task(acme.listen(theirs))
        browser = await stack.enter_async_context(browsing(server, slack))
        yield Shared(server, slack, acme, browser, ours, theirs, *desks)
        hearing.cancel()
        await asyncio.wait([hearing])


@asynccontextmanager
async def _handing_on(
    server: SlackServer, config: Config, where: PlatformContext, inbox: Recorder, acme: Slack
) -> AsyncIterator[Slack]:
    async with running(server, config, where, inbox) as slack:
        assert isinstance(slack, SharesApp)
        slack.hand_on_to({"acme": acme})
        yield slack


async def test_each_workspace_hears_and_says_its_own_alone(shared: Shared) -> None:
    assert list(shared.acme.routes) == [], "everything comes to the first one's address"
    await shared.installs()
    assert await shared.says(TEAM, "ours", 1) == 200
    assert await shared.says(ACME, "theirs", 2) == 200
    assert await shared.says("T0NOBODY", "of somebody else", 3) == 200
    await shared.server.until(lambda: shared.ours.messages and shared.theirs.messages)
    assert [one.text for one in shared.ours.messages.values()] == ["ours"]
    assert [one.text for one in shared.theirs.messages.values()] == ["theirs"]
    for slack, token in ((shared.first, "xoxb-ours"), (shared.acme, "xoxb-theirs")):
        await slack.say(item(Answer("billing", "en")))
        assert slack._client.token == token


async def test_each_token_is_kept_in_its_own_database(
    shared: Shared, database: Database, their_database: Database
) -> None:
    await shared.installs()
    for where, team, token in ((database, TEAM, "xoxb-ours"), (their_database, ACME, "xoxb-theirs")):
        found = await PostgresInstallations(where).found("slack")
        assert found is not None and found.account == team and token not in found.secret


async def test_one_that_is_taken_back_leaves_the_other_at_work(shared: Shared) -> None:
    await shared.installs()
    del shared.server.oauth.tokens["xoxb-theirs"]
    body = {"type": "event_callback", "event_id": "Ev7", "team_id": ACME, "event": {"type": "app_uninstalled"}}
    assert (await shared.posts(body)).status_code == 200
    await shared.server.until(lambda: not shared.acme.healthy())
    assert shared.first.healthy()
    assert await shared.says(TEAM, "still ours", 8) == 200
    assert await shared.says(ACME, "nobody takes it", 9) == 503
    assert (await shared.browser.installs(shared.server.oauth.agrees("xoxb-again", ACME))).status_code == 200
    await shared.server.until(shared.acme.healthy)


async def test_presses_and_commands_go_to_their_own_workspace(shared: Shared) -> None:
    await shared.installs()
    shared.server.add_user(User(id=LEAD, name="Lea", team_id=ACME))
    command = {"command": "/switchboard", "text": "learn", "user_id": LEAD, "channel_id": HELP, "trigger_id": "1"}
    command["response_url"] = f"{shared.server.url}/answers/nowhere"
    assert (await shared.posts(command | {"team_id": ACME}, form=True, secret="forged")).status_code == 401
    assert (await shared.posts(command | {"team_id": ACME}, form=True)).status_code == 200
    await shared.server.until(lambda: shared.their_desk.did)
    assert (shared.our_desk.did, shared.their_desk.did) == ([], [("learn", LEAD)])
    shared.server.add_user(User(id=LEAD, name="Lea"))
    assert (await shared.posts(command | {"team_id": TEAM}, form=True)).status_code == 200
    await shared.server.until(lambda: shared.our_desk.did)
    assert len(shared.their_desk.did) == 1


async def test_before_anybody_installs_it_slack_may_verify_the_address(shared: Shared) -> None:
    asks = {"type": "url_verification", "challenge": "a word", "token": "deprecated"}
    answer = await shared.posts(asks)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "a word"})
    assert (await shared.posts(asks, secret="forged")).status_code != 200
    assert await shared.says(TEAM, "nobody is here yet", 1) == 503


async def test_a_third_workspace_is_refused(shared: Shared) -> None:
    await shared.installs()
    refused = await shared.browser.installs(shared.server.oauth.agrees("xoxb-other", "T0OTHER"))
    assert refused.status_code == 403 and f"for the Slack workspace {TEAM}" in refused.text


async def test_without_the_process_that_has_the_app_it_says_which_one_to_run(
    server: SlackServer, database: Database
) -> None:
    config = PLATFORM.together(settings(server), {"acme": sharing(server)})["acme"]
    where = replace(around(), installations=PostgresInstallations(database))
    async with PLATFORM.connect(config, where) as slack:
        with pytest.raises(Refused, match="without --workspace"):
            await slack.listen(Recorder())
