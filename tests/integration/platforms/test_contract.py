"""Our own platforms keep what every platform promises, and so does their fake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.domain.ports import Platform
from bot.platforms import PlatformContext, platform_modules
from bot.platforms.web import WebModule
from tests.fakes import FakePlatform
from tests.integration.platforms.contract import PlatformContract, Settings, UnderTest
from tests.servers.slack import SlackServer
from tests.servers.telegram import TelegramServer


@asynccontextmanager
async def slack() -> AsyncIterator[Settings]:
    async with SlackServer(["C0HELP", "C0BILLING"]) as server:
        secrets = {"SLACK_BOT_TOKEN": server.bot_token, "SLACK_APP_TOKEN": server.app_token}
        yield {"intake": ["C0HELP"]}, secrets | {"SLACK_API_BASE_URL": server.api_url}


@asynccontextmanager
async def telegram() -> AsyncIterator[Settings]:
    async with TelegramServer() as server:
        server.add_group(-1001, "billing")
        await server.writes(4711, "hello")
        urls = {"TELEGRAM_API_BASE_URL": server.api_url, "TELEGRAM_FILE_BASE_URL": server.file_url}
        yield {}, {"TELEGRAM_BOT_TOKEN": server.token} | urls


@asynccontextmanager
async def web() -> AsyncIterator[Settings]:
    yield {}, {}


MODULES = platform_modules()
OURS = [
    UnderTest("slack", MODULES["slack"], "C0BILLING", "U0ANN", "C0HELP", slack, whispers=True),
    UnderTest("telegram", MODULES["telegram"], "-1001", "4711", "4711", telegram),
    UnderTest("web", MODULES["web"], "billing", "customer", "customer", web),
]


def test_every_platform_of_ours_is_tried() -> None:
    assert [one.name for one in OURS] == list(MODULES)


@pytest.mark.parametrize("one", OURS, ids=lambda one: one.name)
class TestEveryPlatform(PlatformContract):
    pass


class _Faked(WebModule):
    """The local chat, with the chat service in memory behind it on which the steps are tested."""

    @asynccontextmanager
    async def connect(self, config: object, context: PlatformContext) -> AsyncIterator[Platform]:
        yield FakePlatform("web")


@pytest.mark.parametrize("one", [UnderTest("web", _Faked(), "billing", "customer", "customer", web, whispers=True)])
class TestTheFake(PlatformContract):
    pass
