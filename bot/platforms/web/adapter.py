"""The local chat's `Platform`: puts the parts together."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import Unreachable, UsageError
from bot.domain.messages import Media, MessageRef, Person, Place, Press
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import OutboxItem
from bot.domain.tasks import Label
from bot.locales import sentence
from bot.platforms import PlatformContext, Routed
from bot.platforms.web import attachments, request_guard
from bot.platforms.web.events import LEAD, NAME, PEOPLE, PERSON_ROOMS
from bot.platforms.web.inbound import Handler, Inbound
from bot.platforms.web.outbound import Sender
from bot.platforms.web.page import Page
from bot.platforms.web.permissions import Permissions
from bot.platforms.web.words import team_rooms

log = logging.getLogger(__name__)


class WebChat:
    """The rooms of the local chat, and the page that shows them."""

    name = NAME

    def __init__(
        self, leads: Sequence[str], context: PlatformContext, networks: Sequence[request_guard.Network] = ()
    ) -> None:
        """`networks` may use the chat besides this machine."""
        self._context = context
        self._networks = tuple(networks)
        teams = (*team_rooms(context.task), *context.hearing_on(NAME))
        rooms = (*PERSON_ROOMS, *teams)
        self._permissions = Permissions(frozenset(leads))
        self._inbound = Inbound(rooms, teams, self._refusal)
        self._sender = Sender(rooms)
        self._page = Page(context, rooms)
        self._inbox: Inbox | None = None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        acts = [*self._inbound.acts(), ("learn", self._learn)]
        return [
            *(Route(address, self._guarded(handler)) for address, handler in self._page.files()),
            Route("/chat/state", self._guarded(self._page.state)),
            Route("/chat/events", self._guarded(self._page.events)),
            *(Route(f"/chat/{name}", self._guarded(handler), methods=["POST"]) for name, handler in acts),
        ]

    @property
    def whispers(self) -> bool:
        return False

    async def listen(self, inbox: Inbox) -> None:
        """Serve the page until cancelled, and tell every open page when something changed."""
        async with self._context.ledger.changes() as changes:
            self._inbox = inbox
            self._page.open()
            try:
                async for _ in changes:
                    self._page.changed()
            finally:
                self._inbox = None
                self._page.close()
        raise Unreachable("web: the database no longer says what changes")

    def delay(self, item: OutboxItem) -> timedelta:
        """No time: there is no rate limit."""
        return timedelta(0)

    async def say(self, item: OutboxItem) -> MessageRef:
        """The post's receipt. Raises Refused for a room that does not exist."""
        return await self._sender.say(item)

    async def fetch(self, media: Media) -> bytes:
        """Raise Refused: the chat has no attachments."""
        return await attachments.fetch(media)

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        return self._permissions.may_correct(person, team)

    async def may_handle(self, person: Person, room: Place) -> bool:
        return self._permissions.may_handle(person)

    def healthy(self) -> bool:
        return self._inbox is not None

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The handler, restricted to requests from our own page, with every error as a sentence."""

        async def answer(request: Request) -> Response:
            try:
                response = await self._heard(handler, request)
            except UsageError as error:
                response = _sentence(422, str(error))
            except Unreachable:
                log.warning("database not reached, request refused", extra={"path": request.url.path})
                response = _sentence(503, "Nothing was stored: the database does not answer. Please try again.")
            response.headers.update(request_guard.POLICY)
            return response

        return answer

    async def _heard(self, handler: Handler, request: Request) -> Response:
        outsider = request_guard.outsider(request, self._networks)
        stranger = outsider or request_guard.stranger(request.method, request.headers)
        if stranger:
            return _sentence(403, stranger)
        if self._inbox is None:
            waiting = _sentence(503, "Switchboard is starting; this works in a moment.")
            waiting.headers.update({"Retry-After": "1", "Refresh": "1"})
            return waiting
        return await handler(request, self._inbox)

    async def _refusal(self, press: Press) -> str:
        """Why a button for leads of all teams does nothing, if so; the press is stored in either case."""
        button = await self._context.ledger.button(press.ref)
        if button is None or not button.of_all_teams or self._permissions.may_teach():
            return ""
        return sentence(self._context.languages[0], "notice_no_model_lead")

    async def _learn(self, request: Request, _inbox: Inbox) -> Response:
        await request_guard.body(request)
        if not self._permissions.may_teach():
            return _sentence(403, "Only leads may ask for a lesson, and there is none in [platforms.web].")
        return JSONResponse({"asked": await self._context.chat_commands.learn(Person(NAME, LEAD, PEOPLE[LEAD]))})


def _sentence(status: int, sentence: str) -> Response:
    return JSONResponse({"problem": sentence}, status)


_platform: type[Platform] = WebChat
_routed: type[Routed] = WebChat
