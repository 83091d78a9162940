"""The company's Slack, and the adapter that listens to it."""

from collections.abc import AsyncIterator

import pytest

from bot.platforms.slack import Mode
from bot.platforms.slack.adapter import Slack
from tests.integration.platforms.slack.parts import (
    ANN,
    BILLING,
    HELP,
    IT,
    LOUNGE,
    ROBOT,
    STRANGER,
    FakeDesk,
    Recorder,
    around,
    config,
    listening,
    site,
    speaking,
)
from tests.servers.slack import SlackServer, User


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    async with SlackServer([HELP, LOUNGE, BILLING, IT], redeliver_after=0.5) as running:
        running.add_user(User(id=ANN, name="Ann", locale="pt-BR"))
        running.add_user(User(id=ROBOT, name="robot", is_bot=True))
        running.add_user(User(id=STRANGER, name="Stan", team_id="T0OTHER"))
        running.add_usergroup("S0LEADS", [])
        yield running


@pytest.fixture
def inbox() -> Recorder:
    return Recorder()


@pytest.fixture
def chat_commands() -> FakeDesk:
    return FakeDesk()


@pytest.fixture(params=list(Mode))
async def slack(
    request: pytest.FixtureRequest, server: SlackServer, inbox: Recorder, chat_commands: FakeDesk
) -> AsyncIterator[Slack]:
    """A listening adapter, once over each transport."""
    mode = Mode(request.param)
    async with speaking(config(server, mode), around(chat_commands)) as platform, listening(server, platform, inbox):
        if mode is Mode.SOCKET:
            yield platform
        else:
            async with site(server, platform) as url:
                server.sends_to(url)
                yield platform


@pytest.fixture
async def socket(server: SlackServer, inbox: Recorder, chat_commands: FakeDesk) -> AsyncIterator[Slack]:
    """A listening adapter in Socket Mode, for tests that need only one transport."""
    async with speaking(config(server), around(chat_commands)) as platform, listening(server, platform, inbox):
        yield platform


@pytest.fixture
async def mouth(server: SlackServer) -> AsyncIterator[Slack]:
    """An adapter that only sends."""
    async with speaking(config(server)) as platform:
        yield platform
