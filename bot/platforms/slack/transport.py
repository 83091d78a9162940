"""Receives Slack's events: over a WebSocket that we open (Socket Mode), or as signed HTTP requests."""

import asyncio
import logging
import re
from collections.abc import Sequence

from aiohttp import ClientSession
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import Unreachable
from bot.platforms.slack import Config, Mode
from bot.platforms.slack.admission import Admission
from bot.platforms.slack.payload import NAME, word
from bot.platforms.slack.web_api import APP_TOKEN, ask, hushed, web_client

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 30
_DEAF_SECONDS = 30
"""Seconds without a connection after which the socket client is replaced by a new one."""
_MAX_BODY = 1_000_000


class Transport:
    """Hands Slack's payloads to a Bolt app, by Socket Mode or HTTP as configured."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config = config
        self._session = session
        self._app: AsyncApp | None = None
        self._door = Admission()
        self.listening = False
        """Whether events are being received; in Socket Mode, as of at most a second ago."""

    async def hear(self, app: AsyncApp, enough: asyncio.Event) -> None:
        """Receive until cancelled, or `enough` is set.

        Raises Refused for a bad token, Unreachable for a lost connection.
        """
        try:
            if self._config.mode is Mode.SOCKET:
                await self._by_socket(app, enough)
            else:
                await self._by_http(app, enough)
        finally:
            self._app, self.listening = None, False

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The route to which Slack posts its events; none in Socket Mode, which has no secret to verify Slack by."""
        if self._config.mode is Mode.SOCKET:
            return []
        return [Route("/slack/events", self._receive, methods=["POST"])]

    async def _by_socket(self, app: AsyncApp, enough: asyncio.Event) -> None:
        token = self._config.app_token
        client = web_client(token, self._config.api_base_url, self._session)
        # Checked here, because the socket client would retry a bad token for ever.
        opening = await ask(client.apps_connections_open(app_token=token), APP_TOKEN)
        # The socket client logs its connection's address, which holds the ticket that opens it.
        mute = hushed("socket", logging.CRITICAL + 1)
        handler = AsyncSocketModeHandler(app, token, logger=mute, web_client=client)
        handler.client.wss_uri = word(opening, "url")
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await handler.connect_async()  # type: ignore[no-untyped-call]
            await self._watch(handler, enough)
        except TimeoutError as error:
            raise Unreachable("platforms.slack: the socket does not open") from error
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]

    async def _watch(self, handler: AsyncSocketModeHandler, enough: asyncio.Event) -> None:
        """Watch the connection, which the socket client reopens by itself; raise Unreachable when that fails."""
        now = asyncio.get_running_loop().time
        heard = now()
        while now() - heard < _DEAF_SECONDS:
            listening = await handler.client.is_connected()
            if listening != self.listening:
                log.info("listening" if listening else "connection lost", extra={"platform": NAME})
            self.listening = listening
            heard = now() if listening else heard
            await asyncio.sleep(1)
            if enough.is_set():
                return
        raise Unreachable("platforms.slack: the connection does not come back")

    async def _by_http(self, app: AsyncApp, enough: asyncio.Event) -> None:
        self._app, self.listening = app, True
        log.info("listening", extra={"platform": NAME})
        await enough.wait()

    async def _receive(self, request: Request) -> Response:
        """Take one signed request; 503 while nobody listens, or too many come: Slack will send it again."""
        try:
            async with self._door.admitted():
                return await self._dispatched(request)
        except Unreachable:
            return Response(status_code=503)

    async def _dispatched(self, request: Request) -> Response:
        app = self._app
        if app is None:
            return Response(status_code=503)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                return Response(status_code=413)
        if not _dated(request):
            return Response(status_code=401)
        try:
            asked = AsyncBoltRequest(body=body.decode(), headers=dict(request.headers))
        except (ValueError, RecursionError, AttributeError, TypeError):  # Bolt reads it as the object that Slack sends
            return Response(status_code=400)
        if not isinstance(asked.body, dict):
            return Response(status_code=400)
        return to_starlette_response(await app.async_dispatch(asked))


def _dated(request: Request) -> bool:
    """Whether time and signature have Slack's format; the library fails on any other.

    A missing one passes: the library itself checks that they are present.
    """
    stamp, signature = (request.headers.get(name) for name in ("x-slack-request-timestamp", "x-slack-signature"))
    return (stamp is None or re.fullmatch(r"[0-9]{1,12}", stamp) is not None) and (signature or "").isascii()
