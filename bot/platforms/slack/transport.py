"""Receives Slack's events: over a WebSocket that we open (Socket Mode), or as signed HTTP requests."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import ClientSession
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import Unreachable
from bot.logs import logged_for
from bot.platforms.slack import Config, Mode
from bot.platforms.slack.admission import Admission
from bot.platforms.slack.kept_events import KeptEvents
from bot.platforms.slack.payload import NAME, Payload, word
from bot.platforms.slack.web_api import APP_TOKEN, ask, hushed, web_client

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 30
_DEAF_SECONDS = 30
"""Seconds without a connection after which the socket client is replaced by a new one."""
_MAX_BODY = 1_000_000
_READ_AT_ONCE, _READ_WAIT = 128, 0.5
"""Bodies that are read at a time, and the seconds that a request waits to be read."""
_SENT_ONCE_AT_ONCE, _SENT_ONCE_WAIT = 64, 2.0
"""The same for presses, forms and commands, which Slack never sends again: they do not queue behind events."""
_MOST_WAITING = 2_048
Answer = Callable[[SocketModeRequest], Awaitable[BoltResponse]]


class Transport:
    """Hands Slack's payloads to a Bolt app, by Socket Mode or HTTP as configured."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config = config
        self._session = session
        self._app: AsyncApp | None = None
        self._reading = Admission(_READ_AT_ONCE, _MOST_WAITING, _READ_WAIT)
        self._sent_once = Admission(_SENT_ONCE_AT_ONCE, _MOST_WAITING, _SENT_ONCE_WAIT)
        self._events = KeptEvents()
        self._others: dict[str, tuple[str, Transport]] = {}
        self.listening = False
        """Whether events are being received; in Socket Mode, as of at most a second ago."""

    @property
    def heard(self) -> bool:
        """Whether somebody takes what comes."""
        return self._app is not None

    async def hear(self, app: AsyncApp, enough: asyncio.Event) -> None:
        """Receive until cancelled, or `enough` is set.

        Raises Refused for a bad token, Unreachable for a lost connection.
        """
        self._app = app
        try:
            if self._config.mode is Mode.SOCKET:
                await self._by_socket(app, enough)
            else:
                await self._by_http(enough)
        finally:
            self._app, self.listening = None, False

    def hand_on_to(self, others: "Mapping[str, tuple[str, Transport]]") -> None:
        """Pass on what comes for other workspaces of the same app: id in Slack -> (its name here, its transport)."""
        self._others = dict(others)

    async def end(self) -> None:
        """Give up the events that are not stored yet."""
        await self._events.end()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The route to which Slack posts its events; none in Socket Mode, which has no secret to verify Slack by, and
        where the events of a shared app come to another workspace's address."""
        if self._config.mode is Mode.SOCKET or (self._config.oauth and self._config.oauth.shared):
            return []
        return [Route("/slack/events", self._receive, methods=["POST"])]

    async def _by_socket(self, app: AsyncApp, enough: asyncio.Event) -> None:
        token = self._config.app_token
        client = web_client(token, self._config.api_base_url, self._session)
        # Checked here, because the socket client would retry a bad token for ever.
        opening = await ask(client.apps_connections_open(app_token=token), APP_TOKEN)
        # The socket client logs its connection's address, which holds the ticket that opens it.
        mute = hushed("socket", logging.CRITICAL + 1)
        handler = _Socket(app, token, mute, client, self._by_envelope)
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

    async def _by_http(self, enough: asyncio.Event) -> None:
        self.listening = True
        log.info("listening", extra={"platform": NAME})
        await enough.wait()

    async def _by_envelope(self, request: SocketModeRequest) -> BoltResponse:
        if event := _event(request.payload):
            return await self.kept(event, json.dumps(request.payload).encode())
        return await self.at_once(AsyncBoltRequest(mode="socket_mode", body=request.payload))

    async def _receive(self, request: Request) -> Response:
        """Take one signed request; 503 while nobody listens, or too many come: Slack will send it again."""
        if self._app is None and self._config.oauth is None:
            return Response(status_code=503)
        try:
            async with self._reading.admitted():
                body = await _body(request)
        except Unreachable:
            return Response(status_code=503)
        if body is None:
            return Response(status_code=413)
        if not _dated(request):
            return Response(status_code=401)
        asked = _asked(request, body)
        return Response(status_code=400) if asked is None else await self._handed_on(request, asked, body)

    async def _handed_on(self, request: Request, asked: AsyncBoltRequest, body: bytes) -> Response:
        """The answer of the workspace that this comes from."""
        event = _event(asked.body)
        # Only what Slack signed is kept. Bolt verifies everything else itself.
        if event and not self._signed(request, body):
            return Response(status_code=401)
        if asked.body.get("type") == "url_verification" and self._signed(request, body):
            # Slack asks while the app is being set up, before anybody has installed it
            return JSONResponse({"challenge": word(asked.body, "challenge")})
        team = asked.context.team_id  # whatever stands in the payload, which is not verified yet
        name, theirs = self._others.get(team if isinstance(team, str) else "", ("", self))
        if not theirs.heard:
            return Response(status_code=503)
        answer = theirs.kept(event, body) if event else theirs.at_once(asked)
        del asked  # a waiting event is its bytes alone
        if theirs is self:
            return to_starlette_response(await answer)
        with logged_for(name):
            return to_starlette_response(await answer)

    def _signed(self, request: Request, body: bytes) -> bool:
        return SignatureVerifier(self._config.signing_secret).is_valid_request(body, dict(request.headers))

    async def kept(self, event: str, body: bytes) -> BoltResponse:
        """Bolt's answer to an event; 503 when there is none within the time that Slack allows."""
        try:
            return await self._events.taken(event, body, self._take)
        except Unreachable as error:
            problem = {"platform": NAME, "event": event, "problem": str(error)}
            log.warning("event not acknowledged in time: it will come again", extra=problem)
            return BoltResponse(status=503, body="")

    async def at_once(self, asked: AsyncBoltRequest) -> BoltResponse:
        """Bolt's answer to a press, a form or a command; 503 when too many come."""
        try:
            async with self._sent_once.admitted():
                return await self._dispatched(asked)
        except Unreachable as error:
            problem = {"platform": NAME, "problem": str(error)}
            log.warning("press, form or command turned away: people must repeat it", extra=problem)
            return BoltResponse(status=503, body="")

    async def _take(self, body: bytes) -> BoltResponse:
        """Bolt's answer to an event whose signature was verified, or that came over the socket."""
        return await self._dispatched(AsyncBoltRequest(mode="socket_mode", body=json.loads(body)))

    async def _dispatched(self, asked: AsyncBoltRequest) -> BoltResponse:
        app = self._app
        return BoltResponse(status=503, body="") if app is None else await app.async_dispatch(asked)


class _Socket(AsyncSocketModeHandler):
    """Slack's own socket client, whose requests are answered by us instead of by Bolt directly."""

    def __init__(
        self, app: AsyncApp, token: str, logger: logging.Logger, client: AsyncWebClient, answer: Answer
    ) -> None:
        super().__init__(app, token, logger=logger, web_client=client)
        self._answer = answer

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """Acknowledge what was stored; what was not, Slack sends again."""
        began = time.time()
        await send_async_response(client, req, await self._answer(req), began)


def _asked(request: Request, body: bytes) -> AsyncBoltRequest | None:
    """The request as Bolt reads it; None: it is not the object that Slack sends."""
    try:
        asked = AsyncBoltRequest(body=body.decode(), headers=dict(request.headers))
    except (ValueError, LookupError, RecursionError, AttributeError, TypeError):
        return None
    if not isinstance(asked.body, dict):
        return None
    # Bolt takes for granted that an event is an object
    return asked if isinstance(asked.body.get("event", {}), dict) else None


async def _body(request: Request) -> bytes | None:
    """The request's body; None when it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            return None
    return bytes(body)


def _event(payload: Payload) -> str:
    """The id of an event, which Slack sends again until it is acknowledged; empty for anything else."""
    return word(payload, "event_id") if payload.get("type") == "event_callback" else ""


def _dated(request: Request) -> bool:
    """Whether time and signature have Slack's format; the library fails on any other.

    A missing one passes: the library itself checks that they are present.
    """
    stamp, signature = (request.headers.get(name) for name in ("x-slack-request-timestamp", "x-slack-signature"))
    return (stamp is None or re.fullmatch(r"[0-9]{1,12}", stamp) is not None) and (signature or "").isascii()
