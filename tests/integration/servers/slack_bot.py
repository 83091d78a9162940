"""A small bot built with the real slack_bolt, and the ways to run it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.servers.slack import SlackServer

Event = Mapping[str, object]
HELP, BILLING, ANN, LEAD = "C0HELP", "C0BILLING", "U0ANN", "U0LEAD"


@dataclass(slots=True)
class Seen:
    """What a small bot received, in order."""

    events: list[Event] = field(default_factory=list)
    actions: list[Event] = field(default_factory=list)

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]


def web_client(server: SlackServer, token: str | None = None) -> AsyncWebClient:
    return AsyncWebClient(token=token or server.bot_token, base_url=server.api_url)


def small_bot(server: SlackServer, seen: Seen) -> AsyncApp:
    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret)

    @app.event(re.compile(".*"))
    async def remember(event: Event) -> None:
        seen.events.append(event)

    @app.action(re.compile(".*"))
    async def press(ack: Callable[[], Awaitable[object]], action: Event) -> None:
        await ack()
        seen.actions.append(action)

    return app


@asynccontextmanager
async def in_socket_mode(server: SlackServer, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(
        app, server.app_token, web_client=web_client(server, server.app_token), ping_interval=5
    )
    connected = len(server.sockets.sockets)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await server.until(lambda: len(server.sockets.sockets) > connected)
    try:
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http(app: AsyncApp) -> AsyncIterator[str]:
    """The app behind a request URL, as in our own web server."""

    async def receive(request: web.Request) -> web.Response:
        headers: dict[str, str | Sequence[str]] = dict(request.headers)
        answer: BoltResponse = await app.async_dispatch(AsyncBoltRequest(body=await request.text(), headers=headers))
        return web.Response(status=answer.status, text=answer.body, headers=answer.first_headers())

    site = web.Application()
    site.router.add_post("/slack/events", receive)
    runner = web.AppRunner(site, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


def button(value: str) -> dict[str, object]:
    return {
        "type": "button",
        "action_id": "choose",
        "text": {"type": "plain_text", "text": value},
        "value": value,
    }


def actions(*values: str) -> list[dict[str, object]]:
    return [{"type": "actions", "block_id": "teams", "elements": [button(value) for value in values]}]
