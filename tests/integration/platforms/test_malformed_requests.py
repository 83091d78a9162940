"""Whatever strangers send to any route, nothing is stored and nothing breaks: the answer blames the request."""

import asyncio
import json
import time
from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette

from bot.platforms.slack import Mode
from bot.platforms.telegram import HOOK
from bot.platforms.web.adapter import WebChat
from tests.fakes_web import FakeInbox, FakeWorld
from tests.integration.platforms.slack.parts import Recorder as SlackRecorder
from tests.integration.platforms.slack.parts import config, speaking
from tests.integration.platforms.telegram.parts import Recorder as TelegramRecorder
from tests.integration.platforms.telegram.parts import config as telegram_config
from tests.integration.platforms.telegram.parts import connected
from tests.integration.platforms.telegram.parts import listening as listening_to
from tests.servers.slack import SlackServer
from tests.servers.telegram import TelegramServer

DEEP = b"[" * 200_000
BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"\xff\xfe",
    DEEP,
    b'{"a":' * 50_000,
    b'"text"',
    b"payload=%ff",
    b"payload=" + DEEP,
]
ALMOST_SLACKS = [
    b'{"type": "event_callback", "event_id": "Ev1", "event": [1]}',
    b'{"authorizations": {"a": 1}}',
    b'{"type": "block_actions", "team": {"id": [1]}}',
    b'{"type": "event_callback", "event_id": "Ev1", "team_id": {"a": 1}}',
]
"""As Slack's, but for a part that Bolt, or we, take for granted."""
ODD = ["", "abc", "-1", "1e9", "9" * 5_000, "١٢٣", "٣", "\xff\xfe", "0x10", " 1 ", "1;2", "nan", "None"]
TYPES = ["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "\xff", ""]


def _headers(stamp: str, signature: str, kind: str) -> list[tuple[bytes, bytes]]:
    given = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature, "Content-Type": kind}
    return [(name.encode(), value.encode("utf-8")) for name, value in given.items()]


async def test_slacks_route() -> None:
    now = str(int(time.time()))
    async with SlackServer(["C0HELP"]) as server, speaking(config(server, mode=Mode.HTTP)) as slack:
        inbox = SlackRecorder()
        listening = asyncio.create_task(slack.listen(inbox))
        await server.until(slack.healthy)
        async with _client(slack.routes) as client:
            for headers in (
                *(_headers(odd, "v0=00", "application/json") for odd in ODD),
                *(_headers(now, odd, "application/json") for odd in ODD),
                *(_headers(now, "v0=00", kind) for kind in TYPES),
            ):
                for body in [*BODIES, *ALMOST_SLACKS]:
                    answer = await client.post("/slack/events", content=body, headers=headers)
                    assert answer.status_code in (400, 401, 413), (headers, body[:20])
        assert not inbox.messages
        listening.cancel()
        await asyncio.wait({listening})


async def test_telegrams_route() -> None:
    secret = "X-Telegram-Bot-Api-Secret-Token"
    async with TelegramServer() as server:
        settings = telegram_config(server, hook="https://bot.example")
        inbox = TelegramRecorder()
        async with (
            connected(settings) as telegram,
            listening_to(server, telegram, inbox),
            _client(telegram.routes) as client,
        ):
            for odd in ODD:
                answer = await client.post(HOOK, content=b"{}", headers=[(secret.encode(), odd.encode())])
                assert answer.status_code == 403
            for body in BODIES:
                known: Mapping[str, str] = {secret: settings.webhook_secret}
                status = (await client.post(HOOK, content=body, headers=known)).status_code
                assert status == 200 if body == b"{}" else status == 400, body[:20]
        assert not inbox.messages


@pytest.mark.parametrize("kind", TYPES)
async def test_the_local_chats_routes(kind: str) -> None:
    chat, inbox = WebChat(("lead",), FakeWorld().around()), FakeInbox()
    listening = asyncio.create_task(chat.listen(inbox))
    await asyncio.sleep(0)
    values: list[object] = [None, 7, -1, 1e308, [], {}, True, "x", "\x00", "x" * 5_000]
    shapes = [dict.fromkeys(("room", "id", "text", "ref", "emoji", "actor", "value"), value) for value in values]
    async with _client(chat.routes) as client:
        for act in ("messages", "edits", "deletions", "notes", "reactions", "presses"):
            for body in [*BODIES, *(json.dumps(shape).encode() for shape in shapes)]:
                headers = [(b"Content-Type", kind.encode()), (b"Accept-Language", b"\xff;q=x,,;")]
                answer = await client.post(f"/chat/{act}", content=body, headers=headers)
                assert answer.status_code in (403, 422), (act, body[:40])
    assert (inbox.messages, inbox.notes, inbox.reactions, inbox.presses, inbox.edits) == ([], [], [], [], [])
    listening.cancel()
    await asyncio.wait({listening})


def _client(routes: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=list(routes)), raise_app_exceptions=False)  # type: ignore[call-overload]
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")
