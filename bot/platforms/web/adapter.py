"""The local chat's input and output: a page, its state, and what people do on it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.domain.errors import Refused, Unreachable, UsageError
from bot.domain.messages import Media, MessageRef, Person, Place
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import OutboxItem
from bot.domain.tasks import Label
from bot.platforms import PlatformContext, Routed
from bot.platforms.web import events, render, request_guard
from bot.platforms.web.events import LEAD, NAME, PEOPLE, PERSON_ROOMS
from bot.platforms.web.words import Words, team_rooms

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[Request, Inbox], Awaitable[Response]]

LINES = 600
"""Lines of all rooms together that the page is given."""
_BEAT_SECONDS = 15.0
_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_PARTS = {path.name: _TYPES[path.suffix] for path in sorted(_HERE.iterdir()) if path.suffix in _TYPES}


class WebChat:
    """The rooms of the local chat, and the page that shows them."""

    name = NAME

    def __init__(self, leads: Sequence[str], around: PlatformContext) -> None:
        self._leads = frozenset(leads)
        self._around = around
        self._words = Words(around.task, around.languages, around.base, around.vocabulary)
        self._team_rooms = tuple(team_rooms(around.task))
        self._rooms = (*PERSON_ROOMS, *self._team_rooms)
        self._inbox: Inbox | None = None
        self._browsers: set[asyncio.Event] = set()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/", self._behind_the_door(_file("page.html", "text/html"))),
            *(Route(f"/chat/{name}", self._behind_the_door(_file(name, kind))) for name, kind in _PARTS.items()),
            Route("/chat/state", self._behind_the_door(self._state)),
            Route("/chat/events", self._behind_the_door(self._events)),
            *(
                Route(f"/chat/{name}", self._behind_the_door(handler), methods=["POST"])
                for name, handler in self._acts()
            ),
        ]

    def _acts(self) -> Sequence[tuple[str, Handler]]:
        """What people do on the page."""
        return [
            ("messages", self._message),
            ("edits", self._edit),
            ("deletions", self._deletion),
            ("notes", self._note),
            ("reactions", self._reaction),
            ("presses", self._press),
            ("learn", self._learn),
        ]

    @property
    def whispers(self) -> bool:
        return False

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

    def delay(self, item: OutboxItem) -> timedelta:
        """Nothing waits here."""
        return timedelta(0)

    async def say(self, item: OutboxItem) -> MessageRef:
        """A receipt: the page reads its lines from the transcript, so saying a post twice is saying it once."""
        if item.post.place.chat not in self._rooms:
            raise Refused("web: there is no such room; see deliver_to of the labels in the settings")
        return item.edits or MessageRef(NAME, item.post.place.chat, events.receipt(item.id))

    async def fetch(self, media: Media) -> bytes:
        raise Refused("web: the local chat has no attachments")

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        return person.platform == NAME and person.id in self._leads | team.leads.get(NAME, frozenset())

    async def may_handle(self, person: Person, room: Place) -> bool:
        return person.platform == NAME and person.id == LEAD

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
            response.headers.update(request_guard.POLICY)
            return response

        return answer

    async def _heard(self, handler: Handler, request: Request) -> Response:
        stranger = request_guard.stranger(request.method, request.headers)
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
        message = events.to_message(await request_guard.body(request), _now(), language)
        await inbox.message(message)
        return _stored(message.ref)

    async def _edit(self, request: Request, inbox: Inbox) -> Response:
        edit = events.to_edit(await request_guard.body(request), self._rooms, _now())
        await inbox.edit(edit)
        return _stored(edit.ref)

    async def _deletion(self, request: Request, inbox: Inbox) -> Response:
        deletion = events.to_deletion(await request_guard.body(request), self._rooms, _now())
        await inbox.deletion(deletion)
        return _stored(deletion.ref)

    async def _note(self, request: Request, inbox: Inbox) -> Response:
        note = events.to_note(await request_guard.body(request), self._team_rooms, _now())
        await inbox.note(note)
        return _stored(note.ref)

    async def _reaction(self, request: Request, inbox: Inbox) -> Response:
        reaction = events.to_reaction(await request_guard.body(request), self._rooms, _now())
        await inbox.reaction(reaction)
        return _stored(reaction.ref)

    async def _press(self, request: Request, inbox: Inbox) -> Response:
        press = events.to_press(await request_guard.body(request), self._rooms, _now())
        await inbox.press(press)
        return _stored(press.ref)

    async def _learn(self, request: Request, _inbox: Inbox) -> Response:
        await request_guard.body(request)
        if LEAD not in self._leads:
            return _sentence(403, "Only leads may ask for a lesson, and there is none in [platforms.web].")
        return JSONResponse({"asked": await self._around.chat_commands.learn(Person(NAME, LEAD, PEOPLE[LEAD]))})

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


def _sentence(status: int, sentence: str) -> Response:
    return JSONResponse({"problem": sentence}, status)


def _stored(ref: MessageRef) -> Response:
    return JSONResponse({"stored": {"room": ref.chat, "id": ref.id}})


def _now() -> datetime:
    return datetime.now(UTC)


_platform: type[Platform] = WebChat
_routed: type[Routed] = WebChat
