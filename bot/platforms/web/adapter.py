"""The local chat's input and output: a page, its state, and what people do on it.

Another website in the same browser can send requests to this machine, so requests must come from our own page (same
origin, JSON) and be addressed to this machine by number or as localhost (which stops names that were rebound to it).
"""

import asyncio
import ipaddress
import json
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.domain.errors import Refused, Unreachable, UsageError
from bot.domain.messages import MessageRef, Person
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import Owed
from bot.platforms import Routed, Surroundings
from bot.platforms.web import events, render
from bot.platforms.web.events import LEAD, NAME, PEOPLE, PERSON_ROOMS

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[Request, Inbox], Awaitable[Response]]

LINES = 600
"""Lines of all rooms together that the page is given."""
_MAX_BODY = 2_000_000
_BEAT_SECONDS = 15.0
_HERE = Path(__file__).parent
_PARTS = {"page.css": "text/css"} | {f"{name}.js": "text/javascript" for name in "page draw people teams wire".split()}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class WebChat:
    """The rooms of the local chat, and the page that shows them."""

    name = NAME

    def __init__(self, leads: Sequence[str], around: Surroundings) -> None:
        self._leads = frozenset(leads)
        self._around = around
        self._words = render.Words(around.task, around.languages, around.base)
        self._rooms = (*PERSON_ROOMS, *render.team_rooms(around.task))
        self._inbox: Inbox | None = None
        self._browsers: set[asyncio.Event] = set()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/", self._behind_the_door(_file("page.html", "text/html"))),
            *(Route(f"/chat/{name}", self._behind_the_door(_file(name, kind))) for name, kind in _PARTS.items()),
            Route("/chat/state", self._behind_the_door(self._state)),
            Route("/chat/events", self._behind_the_door(self._events)),
            Route("/chat/messages", self._behind_the_door(self._message), methods=["POST"]),
            Route("/chat/reactions", self._behind_the_door(self._reaction), methods=["POST"]),
            Route("/chat/presses", self._behind_the_door(self._press), methods=["POST"]),
            Route("/chat/learn", self._behind_the_door(self._learn), methods=["POST"]),
        ]

    async def listen(self, inbox: Inbox) -> None:
        """Serve the page until cancelled; while it does, one task tells every open page that something changed."""
        async with self._around.ledger.changes() as changes:
            self._inbox = inbox
            try:
                async for _ in changes:
                    self._wake()
            finally:
                self._inbox = None
                self._wake()
        raise Unreachable("web: the database no longer says what changes")

    async def say(self, owed: Owed) -> MessageRef:
        """A receipt: the page reads its lines from the transcript, so saying a post twice is saying it once."""
        if owed.post.place.chat not in self._rooms:
            raise Refused("web: there is no such room; see deliver_to of the labels in the settings")
        return owed.edits or MessageRef(NAME, owed.post.place.chat, events.receipt(owed.id))

    async def may_correct(self, person: Person) -> bool:
        return person.platform == NAME and person.id in self._leads

    def healthy(self) -> bool:
        return self._inbox is not None

    def _behind_the_door(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The handler, for requests from our own page only, with every failure as a sentence."""

        async def answer(request: Request) -> Response:
            try:
                response = await self._heard(handler, request)
            except UsageError as error:
                response = _sentence(422, str(error))
            except Unreachable:
                log.warning("web chat could not reach the database", extra={"path": request.url.path})
                response = _sentence(503, "Nothing was stored: the database does not answer. Please try again.")
            response.headers.update(_HEADERS)
            return response

        return answer

    async def _heard(self, handler: Handler, request: Request) -> Response:
        stranger = _stranger(request.method, request.headers)
        if stranger:
            return _sentence(403, stranger)
        if self._inbox is None:
            waiting = _sentence(503, "Switchboard is starting; this works in a moment.")
            waiting.headers.update({"Retry-After": "1", "Refresh": "1"})
            return waiting
        return await handler(request, self._inbox)

    async def _state(self, _request: Request, _inbox: Inbox) -> Response:
        around = self._around
        lines = await around.transcript.lines(NAME, self._rooms, LINES)
        champion = await around.registry.champion(around.task.name, around.base)
        cycles = await around.registry.cycles(around.task.name, 1)
        waiting = await around.examples.waiting_corrections(around.task.name)
        learning = render.learning(self._words, champion, next(iter(cycles), None), waiting)
        return JSONResponse(render.state(self._words, lines, learning, _now()))

    async def _events(self, _request: Request, _inbox: Inbox) -> Response:
        return StreamingResponse(self._watch(), media_type="text/event-stream")

    async def _message(self, request: Request, inbox: Inbox) -> Response:
        language = events.spoken(request.headers.get("accept-language"))
        message = events.to_message(await _json(request), _now(), language)
        await inbox.message(message)
        return _stored(message.ref)

    async def _reaction(self, request: Request, inbox: Inbox) -> Response:
        reaction = events.to_reaction(await _json(request), self._rooms, _now())
        await inbox.reaction(reaction)
        return _stored(reaction.ref)

    async def _press(self, request: Request, inbox: Inbox) -> Response:
        press = events.to_press(await _json(request), _now())
        await inbox.press(press)
        return _stored(press.ref)

    async def _learn(self, request: Request, _inbox: Inbox) -> Response:
        await _json(request)
        lead = Person(NAME, LEAD, PEOPLE[LEAD])
        if not await self.may_correct(lead):
            return _sentence(403, "Only leads may ask for a lesson, and there is none in [platforms.web].")
        around = self._around
        asked = await around.registry.request_cycle(around.task.name, f"{NAME}:{LEAD}", f"web-{uuid.uuid4()}", _now())
        return JSONResponse({"asked": asked})

    def _wake(self) -> None:
        for browser in self._browsers:
            browser.set()

    async def _watch(self) -> AsyncIterator[str]:
        """Server-sent events: `changed` when the page should look again, `beat` so that it knows we are there."""
        changed = asyncio.Event()
        changed.set()
        self._browsers.add(changed)
        try:
            while self._inbox is not None:
                event = "changed" if changed.is_set() else "beat"
                changed.clear()
                yield f"event: {event}\ndata: 1\n\n"
                await _either(changed, _BEAT_SECONDS)
        finally:
            self._browsers.discard(changed)


async def _either(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return


def _file(name: str, media_type: str) -> Handler:
    content = (_HERE / name).read_bytes()

    async def send(_request: Request, _inbox: Inbox) -> Response:
        return Response(content, media_type=media_type)

    return send


def _stranger(method: str, headers: Mapping[str, str]) -> str | None:
    """Why this request did not come from our own page; None when it may have."""
    host = headers.get("host", "")
    if not _this_machine(host):
        return "Open this page by the machine's number or as localhost."
    if method != "POST":
        return None
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return "This request came from another website."
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return "Send JSON (Content-Type: application/json)."
    return None


def _this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


async def _json(request: Request) -> object:
    """The request's body. Raises UsageError when it is too long or no JSON."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise UsageError("That is too long to be a message.")
    try:
        read: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError("Send one JSON object.") from error
    return read


def _sentence(status: int, sentence: str) -> Response:
    return JSONResponse({"problem": sentence}, status)


def _stored(ref: MessageRef) -> Response:
    return JSONResponse({"stored": {"room": ref.chat, "id": ref.id}})


def _now() -> datetime:
    return datetime.now(UTC)


_platform: type[Platform] = WebChat
_routed: type[Routed] = WebChat
