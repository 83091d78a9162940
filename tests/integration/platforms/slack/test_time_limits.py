"""Calls of Slack that get no answer: given up after a while, and ended at once when their task is cancelled."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable

import pytest
from aiohttp import web

from bot.domain.errors import Unreachable
from bot.platforms.slack.payload import Payload
from bot.platforms.slack.web_api import answered, ask, open_session, web_client

LIMIT = 0.2


class Silent:
    """A Slack that accepts every call and answers none."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.url = ""

    async def hear(self, _: web.Request) -> web.Response:
        self.asked.set()
        await asyncio.sleep(3_600)
        return web.Response()


@pytest.fixture
async def silent() -> AsyncIterator[Silent]:
    slack = Silent()
    app = web.Application()
    app.router.add_route("*", "/{method}", slack.hear)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield slack
    await runner.cleanup()


async def test_a_call_without_an_answer_is_given_up(silent: Silent) -> None:
    async with open_session() as session:
        with pytest.raises(Unreachable, match="did not answer in time"):
            await answered(web_client("xoxb-1", silent.url, session).emoji_list(), seconds=LIMIT)


async def test_a_cancellation_that_comes_together_with_the_limit_is_not_lost(silent: Silent) -> None:
    """As when the event loop was busy for longer than the limit, and the bot stops."""
    loop = asyncio.get_running_loop()
    async with open_session() as session:
        call = ask(web_client("xoxb-1", silent.url, session).emoji_list(), seconds=LIMIT)
        asking = asyncio.create_task(_and_goes_on(call))
        await silent.asked.wait()
        loop.call_later(LIMIT + 0.01, asking.cancel)
        time.sleep(LIMIT + 0.1)  # noqa: ASYNC251 - both are due when the loop runs again
        await asyncio.wait([asking], timeout=5)
        ended = asking.cancelled()
        asking.cancel()
        await asyncio.wait([asking])
    assert ended


async def _and_goes_on(call: Awaitable[Payload]) -> None:
    try:
        await call
    except Unreachable:
        await asyncio.sleep(3_600)
