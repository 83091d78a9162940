"""A running bot and requests from strangers: nothing is stored for them, nothing breaks, and all others are served."""

import asyncio
import gzip
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.platforms.telegram import HOOK
from tests.acceptance.processes import Home
from tests.acceptance.unserved import SECRET, Records, bot, settings
from tests.postgres import make_database
from tests.servers.slack import SIGNING_SECRET, events
from tests.servers.slack.state import Channel, Post, User
from tests.worlds.company import CHANNELS, HELP, Town, town

pytestmark = pytest.mark.slow

EVENTS = "/slack/events"
UPDATE = b'{"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}, "text": "x"}}'
WRITTEN = b'{"room": "customer", "id": "a1", "text": "let me in"}'
KINDS = ("messages", "notes", "conversations", "corrections", "decisions", "failed_items")
HALF_OPEN = 1_100
_SECRETS = {"TELEGRAM_WEBHOOK_SECRET": SECRET, "SLACK_SIGNING_SECRET": SIGNING_SECRET, "SWITCHBOARD_LOG": "DEBUG"}


@dataclass(frozen=True)
class Door:
    """A running bot, seen from outside."""

    address: str
    records: Records
    client: httpx.AsyncClient

    def stored(self) -> Mapping[str, int]:
        return {kind: self.records.count(f"SELECT count(*) FROM {kind}") for kind in KINDS}  # noqa: S608  ours

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        return (await self.client.post(path, content=body, headers=dict(headers))).status_code

    async def raw(self, request: bytes) -> bytes:
        """The first line of the answer to these bytes; empty if the connection is closed."""
        host, _, port = self.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(request)
            async with asyncio.timeout(20):
                return await reader.readline()
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def test_strangers_leave_nothing_behind_and_keep_nobody_away(postgres_url: str, homes: Path) -> None:
    folder = homes / "attacks"
    folder.mkdir()
    records = Records(make_database(postgres_url, "attacks"))
    async with town() as around:
        home = Home(folder, around.environment() | _SECRETS)
        home.settings(settings(around, records.url, hook=f"http://{around.listen}", slack_over_http=True))
        async with bot(home, around.listen) as running, httpx.AsyncClient(base_url=running.address) as client:
            around.slack.sends_to(f"{running.address}{EVENTS}")
            await around.asks("I was charged twice")
            card = await around.slack_card("billing", "charged twice")
            await records.until_said(1)
            door = Door(around.listen, records, client)
            before = door.stored()
            await _at_slacks_door(door)
            await _at_telegrams_door(door)
            await _at_the_page(door)
            await _too_much(door)
            await _others_buttons(around, door, card.ts)
            assert door.stored() == before
            await _half_open(door)
            await around.asks("Where is my parcel?")
            await around.telegram.writes(4711, "When will I get my refund?")
            await records.until_said(3)
            assert door.stored()["messages"] == before["messages"] + 2
            done = await running.process.stops()
    assert (done.code, "Traceback" in done.err) == (0, False), done.err
    assert not [secret for secret in (SECRET, SIGNING_SECRET, "let me in") if secret in done.out + done.err]


def _signed(body: bytes, ago: int = 0, secret: str = SIGNING_SECRET) -> dict[str, str]:
    stamp = str(int(time.time()) - ago)
    signature = "v0=" + hmac.new(secret.encode(), b"v0:%s:%s" % (stamp.encode(), body), "sha256").hexdigest()
    kind = {"Content-Type": "application/json"}
    return kind | {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}


def _event(text: str, ts: str = "1764000000.000100") -> bytes:
    post = events.message(Post(channel=HELP, ts=ts, user="U0EVE", text=text), Channel(id=HELP, name="help"))
    return json.dumps(events.callback(post, f"Ev{ts}", time.time(), shared=False)).encode()


async def _at_slacks_door(door: Door) -> None:
    body = _event("let me in")
    right = _signed(body)
    wrong: Sequence[Mapping[str, str]] = (
        {},
        _signed(body, secret="guessed"),
        _signed(body, ago=301),
        _signed(body, ago=-301),
        _signed(b"another body"),
        right | {"X-Slack-Signature": "v0="},
        right | {"X-Slack-Signature": "v1" + right["X-Slack-Signature"][2:]},
        right | {"X-Slack-Request-Timestamp": "9" * 400},
        right | {"X-Slack-Request-Timestamp": "nan"},
        {name: value for name, value in right.items() if "Timestamp" not in name},
    )
    for headers in wrong:
        assert await door.post(EVENTS, body, headers) in (400, 401), headers
    assert await door.post(EVENTS, body[:-1] + b" }", right) == 401


async def _at_telegrams_door(door: Door) -> None:
    for secret in ("", "wrong", SECRET[:-1], SECRET + " x", SECRET.upper()):
        assert await door.post(HOOK, UPDATE, {"X-Telegram-Bot-Api-Secret-Token": secret}) == 403
    assert await door.post(HOOK, UPDATE, {}) == 403


async def _at_the_page(door: Door) -> None:
    """Requests of other websites, rebound names, malformed requests, and programs without a token."""
    own = {"Content-Type": "application/json", "Origin": f"http://{door.address}"}
    for odd in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Content-Type": "text/plain"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "203.0.113.7"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
    ):
        assert await door.post("/chat/messages", WRITTEN, own | odd) == 403, odd
    for path in ("/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/chat/../../etc/passwd", "/adapters/..%2fx"):
        assert (await door.raw(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())).split()[1] in (b"403", b"404")
    for path in ("/api/route", "/api/correct"):
        assert await door.post(path, b"{}", {"Authorization": "Bearer guessed"}) in (401, 404)
    host = f"Host: {door.address}\r\n".encode()
    begin = b"POST /chat/messages HTTP/1.1\r\n"
    for request in (
        b"GET /chat/state HTTP/1.1\r\n" + host + b"Host: evil\r\n\r\n",
        begin + host + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"GET /\xff\xfe HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\nX\r\n\r\n" + host,
    ):
        assert b" 4" in await door.raw(request), request
    smuggled = (
        begin + host + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"
    )
    assert b" 200" not in await door.raw(smuggled)


async def _too_much(door: Door) -> None:
    """Oversized bodies, headers and nesting, and bodies that grow a thousandfold when they are decompressed."""
    own = {"Content-Type": "application/json", "Origin": f"http://{door.address}"}
    bomb = gzip.compress(b"[" * 50_000_000)
    for path, known in (
        ("/chat/messages", own),
        (EVENTS, {}),
        (HOOK, {"X-Telegram-Bot-Api-Secret-Token": SECRET}),
    ):
        for body, more in ((b"x" * 2_000_000, {}), (b"[" * 500_000, {}), (bomb, {"Content-Encoding": "gzip"})):
            headers = _signed(body) | known | more
            assert 400 <= await door.post(path, body, headers) < 500, (path, body[:3])
    for size in (70_000, 100_000, 400_000):
        answer = await door.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * size + b"\r\n\r\n")
        assert b" 200" not in answer, size


async def _others_buttons(around: Town, door: Door, ts: str) -> None:
    """Correctly signed, but by people and workspaces without permission, or for buttons that were never offered."""
    room = Channel(id=CHANNELS["billing"], name="billing")
    post = Post(channel=room.id, ts=ts, user="U0BOT", text="card")
    eve, old = User(id="U0EVE", name="Eve"), Post(channel=room.id, ts="1000000000.000001", user="U0BOT", text="gone")
    for value in ("delivery", "no such team", "x" * 3_000, "\x00", "wrong:delivery", "1:send", ""):
        for on in (post, old):
            button: dict[str, object] = {"type": "button", "action_id": "choose", "block_id": "b", "value": value}
            press = events.press(eve, room, on, button, "http://127.0.0.1:1/", ts, "trigger")
            for payload in (press, press | {"team": {"id": "T0EVIL", "domain": "evil"}}):
                body = b"payload=" + httpx.QueryParams({"p": json.dumps(payload)}).__str__()[2:].encode()
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                assert await door.post(EVENTS, body, _signed(body) | kind) < 500
    await around.slack.reacts("U0EVE", room.id, ts, "package")
    await door.records.until_said(1)


async def _half_open(door: Door) -> None:
    """More unfinished requests than a process may have open files; another client is still answered."""
    host, _, port = door.address.partition(":")
    async with AsyncExitStack() as stack:
        for _ in range(HALF_OPEN):
            _, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
            writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Le")
        assert (await door.client.get("/healthz")).status_code == 200
