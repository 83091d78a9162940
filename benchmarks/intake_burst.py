"""Thousands of Slack messages at the same moment, each by somebody else: what becomes of them, and how soon we say so.

    python -m benchmarks.intake_burst --messages 5000

The bot runs in a process of its own: the real Bolt app, inbox and ledger on a real PostgreSQL in a temporary folder,
over Socket Mode and over signed HTTP. This process is Slack: it sends everything at once, repeats unacknowledged events
three times, three seconds apart, and takes 300 ms to look up a user.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
from aiohttp import ClientSession, TCPConnector
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.machine import Figures, machine, show, spread
from bot.app import demo_settings, platform_context
from bot.domain.ledger import ThreadingPolicy
from bot.flow.receive import Receiver
from bot.http.server import listening_socket, serve_http
from bot.platforms.slack import PLATFORM, Config, Mode
from bot.platforms.slack.adapter import Slack
from bot.store import now, open_store
from tests.servers.slack import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackServer, User
from tests.servers.slack.delivery import SignedHttp

HELP = "C0HELP"
NAMES_SECONDS = 0.3
_QUIET_SECONDS = 5.0
"""Seconds in which nothing more is stored, after which nothing is waited for."""


async def serve(api_url: str, mode: Mode, home: Path, port: int) -> None:
    """Run the bot's intake until it is ended."""
    logging.disable()
    secret = SIGNING_SECRET if mode is Mode.HTTP else ""
    config = Config(BOT_TOKEN, mode, APP_TOKEN, secret, api_url, frozenset({HELP}))
    settings = demo_settings(home)
    policy = ThreadingPolicy(timedelta(seconds=3), timedelta(hours=24), timedelta(hours=72))
    async with open_store(settings) as store, PLATFORM.connect(config, platform_context(settings, store)) as platform:
        assert isinstance(platform, Slack)

        async def stored(_: Request) -> JSONResponse:
            async with store.database.transaction() as session:
                return JSONResponse(
                    {
                        "healthy": platform.healthy(),
                        "messages": (await session.execute(text("SELECT count(*) FROM messages"))).scalar_one(),
                        "talks": (await session.execute(text("SELECT count(*) FROM conversations"))).scalar_one(),
                    }
                )

        listening = asyncio.create_task(
            platform.listen(Receiver(store.ledger, policy, lambda _: None, store.failures, now))
        )
        app = Starlette(routes=[*platform.routes, Route("/stored", stored)])
        try:
            with listening_socket("127.0.0.1", port) as socket:
                await serve_http(app, socket)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def measured(messages: int, modes: Sequence[Mode]) -> dict[str, Figures]:
    """Measure one burst over each transport."""
    return {mode.value: await _burst(mode, messages) for mode in modes}


async def _burst(mode: Mode, messages: int) -> Figures:
    client = ClientSession(connector=TCPConnector(limit=0))  # the server's own client sends a hundred at a time
    async with client, SlackServer([HELP]) as slack, _bot(slack.api_url, mode) as url:
        for number in range(messages):
            slack.add_user(User(id=f"U{number:05d}", name=f"Person {number}"))
        slack.fail("users.info", delay=NAMES_SECONDS, times=messages * 4)
        if mode is Mode.HTTP:
            slack.http_events = SignedHttp(f"{url}/slack/events", SIGNING_SECRET, client)
        for number in range(messages):
            await slack.writes(f"U{number:05d}", HELP, f"I was charged twice, {number}")
        await slack.until(lambda: all(one.acked or one.given_up for one in slack.deliveries), timeout=60)
        return await _outcome(slack, url)


async def _outcome(slack: SlackServer, url: str) -> Figures:
    acknowledged = [1_000 * one.acked_after for one in slack.deliveries if one.acked]
    attempts = [one.attempts for one in slack.deliveries]
    stored = await _stored_in_the_end(url)
    return {
        "messages": len(slack.deliveries),
        "stored": stored,
        "lost": len(slack.deliveries) - stored,
        "given up by Slack": sum(one.given_up for one in slack.deliveries),
        "ack p50, ms": spread(acknowledged)["p50"],
        "ack p99, ms": spread(acknowledged)["p99"],
        "at the first attempt": sum(number == 1 for number in attempts),
        "most attempts": max(attempts),
    }


async def _stored_in_the_end(url: str) -> int:
    """The messages that are stored once no more come: the bot stores what it kept after the last attempt, too."""
    async with httpx.AsyncClient(timeout=30) as client:
        before, now = -1, 0
        while now > before:
            before = now
            await asyncio.sleep(_QUIET_SECONDS)
            now = int((await client.get(f"{url}/stored")).json()["messages"])
    return now


@asynccontextmanager
async def _bot(api_url: str, mode: Mode) -> AsyncIterator[str]:
    port = 20_000 + os.getpid() % 20_000
    with tempfile.TemporaryDirectory(prefix="switchboard-burst-") as home:
        options = ("-m", "benchmarks.intake_burst", "--serve", api_url, "--mode", mode.value, "--home", home)
        process = await asyncio.create_subprocess_exec(sys.executable, *options, "--port", str(port))
        url = f"http://127.0.0.1:{port}"
        try:
            await _until_it_listens(url)
            yield url
        finally:
            process.terminate()
            await process.wait()


async def _until_it_listens(url: str) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{url}/stored")).json()["healthy"]:
                    return
            await asyncio.sleep(0.1)
    raise TimeoutError("the bot does not listen")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--messages", type=int, default=5_000, help="how many at once")
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    parser.add_argument("--mode", type=Mode, help="socket or http; both when left out")
    parser.add_argument("--home", type=Path, default=Path(), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(args.serve, args.mode or Mode.SOCKET, args.home, args.port))
        return
    on = machine()
    show("intake burst", asyncio.run(measured(args.messages, [args.mode] if args.mode else list(Mode))), on)


if __name__ == "__main__":
    main()
