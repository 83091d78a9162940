"""How fast Slack's events are acknowledged, and what becomes of them while the database's pool is stuck.

    python -m benchmarks.slack_intake --events 5000 --flight 200

The bot runs in a process of its own: the real Bolt app behind the real web server, verifying signatures. Its inbox is a
pool of ten connections in which storing takes two milliseconds; if no connection is free within a second, the event is
not stored, as with the real pool. This process is Slack: it signs and posts events, and posts unacknowledged ones
again.
"""

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import uvicorn
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.machine import Figures, machine, show, spread
from bot.domain import model_ports, queries
from bot.domain.errors import Unreachable
from bot.domain.ledger import Ledger
from bot.domain.messages import Place
from bot.domain.tasks import Label, Task, Vocabulary
from bot.platforms import PlatformContext
from bot.platforms.slack import PLATFORM, Config, Mode
from bot.platforms.slack.adapter import Slack
from tests.servers.slack import SlackServer

HELP, ROOM, ANN, SECRET = "C0HELP", "C0BILLING", "U0ANN", "signing-secret"
POOL, STORING, PATIENCE = 10, 0.002, 1.0
REDELIVERED_AFTER, MOST_ATTEMPTS = 1.0, 60


# ── the bot's process ──


@dataclass(slots=True)
class PooledInbox:
    """Stores in memory, through as few connections as a database would have."""

    seen: set[object] = field(default_factory=set)
    pool: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(POOL))

    async def _store(self, fact: object) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self.pool.acquire()
        except TimeoutError as error:
            raise Unreachable("database: no connection is free") from error
        try:
            await asyncio.sleep(STORING)
            self.seen.add(fact)
        finally:
            self.pool.release()

    message = reaction = press = edit = deletion = note = person = _store

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        await self._store((platform, before, after))

    async def stick(self, request: Request) -> JSONResponse:
        """Take every connection away, or give them all back."""
        for _ in range(POOL):
            if request.query_params.get("stuck") == "yes":
                await self.pool.acquire()
            else:
                self.pool.release()
        return JSONResponse({"stored": len(self.seen)})


async def serve(api_url: str, port: int) -> None:
    """Run the bot until it is ended."""
    room = Label("billing", "money", deliver_to={"slack": Place("slack", ROOM)})
    nothing = (cast(Ledger, None), cast(queries.ChatCommands, None), cast(queries.Transcript, None))
    rest = (cast(model_ports.Registry, None), cast(model_ports.Examples, None))
    around = PlatformContext(
        Task("routing", "?", (room,), "billing"), ("en",), "starter", Vocabulary(), *nothing, *rest
    )
    settings = Config("xoxb-test", Mode.HTTP, signing_secret=SECRET, api_base_url=api_url, intake=frozenset({HELP}))
    inbox = PooledInbox()
    logging.disable()
    async with PLATFORM.connect(settings, around) as platform:
        assert isinstance(platform, Slack)
        listening = asyncio.create_task(platform.listen(inbox))
        app = Starlette(routes=[*platform.routes, Route("/pool", inbox.stick, methods=["POST"])])
        web = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
        await web.serve()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


# ── Slack's side ──


@dataclass(slots=True)
class Sender:
    """Posts signed events until they are acknowledged."""

    client: ClientSession
    url: str
    kind: str = "message"
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    acks: list[float] = field(default_factory=list)
    """Milliseconds of each attempt that was acknowledged."""
    refused: int = 0
    """Attempts that were answered with 503."""

    async def event(self) -> None:
        """Send one message, in however many attempts it takes."""
        number = next(self.numbers)
        body = json.dumps(_event(self.kind, number)).encode()
        for _ in range(MOST_ATTEMPTS):
            if await self._attempt(body):
                return
            await asyncio.sleep(REDELIVERED_AFTER)
        raise TimeoutError("an event is never acknowledged")

    async def flight(self, count: int, at_once: int) -> float:
        """Seconds for so many events, with so many of them in flight."""
        left = iter(range(count))

        async def one_after_another() -> None:
            for _ in left:
                await self.event()

        began = time.perf_counter()
        await asyncio.gather(*(one_after_another() for _ in range(at_once)))
        return time.perf_counter() - began

    async def _attempt(self, body: bytes) -> bool:
        stamp = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={signature}",
        }
        began = time.perf_counter()
        async with self.client.post(f"{self.url}/slack/events", data=body, headers=headers) as answer:
            await answer.read()
        if answer.status == 200:
            self.acks.append((time.perf_counter() - began) * 1000)
            return True
        assert answer.status == 503, answer.status
        self.refused += 1
        return False


def _event(kind: str, number: int) -> dict[str, object]:
    ts = f"{1_764_000_000 + number // 1000}.{number % 1000:06d}"
    said = {"type": kind, "user": ANN, "channel": HELP, "channel_type": "channel", "text": "my bill", "ts": ts}
    outer = {"type": "event_callback", "team_id": "T0TEAM", "api_app_id": "A0BOT", "event_id": f"Ev{number:08d}"}
    return outer | {"event": said, "event_time": int(time.time())}


async def measured(events: int, flight: int, stuck_for: float) -> dict[str, Figures]:
    """Measure three rounds: all well, a stuck pool, as fast as it goes."""
    async with SlackServer([HELP, ROOM]) as slack, _bot(slack.api_url) as url, _client() as client:
        await Sender(client, url, numbers=itertools.count(90_000_000)).flight(flight, flight)
        calm = Sender(client, url)
        await calm.flight(flight * 5, flight)
        stuck = Sender(client, url, numbers=itertools.count(10_000_000))
        idle = Sender(client, url, "member_joined_channel")
        waited = await _through_a_stuck_pool(stuck, idle, flight, stuck_for)
        busy = Sender(client, url, numbers=itertools.count(20_000_000))
        seconds = await busy.flight(events, flight)
        return {
            f"{flight} in flight": _row(calm),
            f"pool stuck for {stuck_for:g} s": _row(stuck) | {"all stored after, s": round(waited, 1)},
            "meanwhile, nothing to store": _row(idle),
            "as fast as it goes": _row(busy) | {"events/s": round(events / seconds)},
        }


async def _through_a_stuck_pool(sender: Sender, idle: Sender, flight: int, stuck_for: float) -> float:
    """Seconds from the pool being free again to the last acknowledgement; `idle` sends events that need no pool."""
    await _pool(sender, "yes")
    sending = asyncio.create_task(sender.flight(flight, flight))
    until = time.perf_counter() + stuck_for
    while time.perf_counter() < until:
        await idle.event()
        await asyncio.sleep(0.02)
    assert sender.acks == [], "nothing is acknowledged that was not stored"
    began = time.perf_counter()
    await _pool(sender, "no")
    await sending
    return time.perf_counter() - began


async def _pool(sender: Sender, stuck: str) -> None:
    async with sender.client.post(f"{sender.url}/pool", params={"stuck": stuck}) as answer:
        assert answer.status == 200


def _row(sender: Sender) -> dict[str, float | int]:
    ack = spread(sender.acks)
    return {"events": len(sender.acks), "ack p50, ms": ack["p50"], "ack p99, ms": ack["p99"], "503": sender.refused}


def _client() -> ClientSession:
    return ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=30))


@asynccontextmanager
async def _bot(api_url: str) -> AsyncIterator[str]:
    port = 20_000 + os.getpid() % 20_000
    options = ("-m", "benchmarks.slack_intake", "--serve", api_url, "--port", str(port))
    process = await asyncio.create_subprocess_exec(sys.executable, *options)
    url = f"http://127.0.0.1:{port}"
    try:
        async with _client() as client:
            await _until_it_listens(client, url)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _until_it_listens(client: ClientSession, url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            async with client.post(f"{url}/slack/events", data=b"") as answer:
                if answer.status == 401:
                    return
        await asyncio.sleep(0.1)
    raise TimeoutError("the bot does not listen")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=5_000, help="how many in the last round")
    parser.add_argument("--flight", type=int, default=200, help="how many at once")
    parser.add_argument("--stuck", type=float, default=5.0, help="seconds without a free connection")
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.serve:
        asyncio.run(serve(args.serve, args.port))
        return
    on = machine()
    show("slack intake", asyncio.run(measured(args.events, args.flight, args.stuck)), on)


if __name__ == "__main__":
    main()
