"""The running servers."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.servers.slack_bot import BILLING, HELP
from tests.integration.servers.telegram_bot import TEAM
from tests.servers.slack import SlackServer
from tests.servers.telegram import TelegramServer


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Redelivers after 0.3 s, so that no test waits for seconds."""
    async with SlackServer([HELP, BILLING], redeliver_after=0.3) as running:
        yield running


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as running:
        running.add_group(TEAM, "billing")
        yield running
