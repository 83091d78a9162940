"""Takes what people do on the page: each act is stored, and only then answered."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.messages import MessageRef, Press
from bot.domain.ports import Inbox
from bot.platforms.web import events, request_guard

Handler: TypeAlias = Callable[[Request, Inbox], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Inbound:
    """Stores what the page posts."""

    rooms: Sequence[str]
    team_rooms: Sequence[str]
    refusal: Callable[[Press], Awaitable[str]]
    """Why a button does nothing for the person who pressed it; empty when it may do something."""

    def acts(self) -> Sequence[tuple[str, Handler]]:
        """The last part of each act's address -> the method that handles it."""
        return [
            ("messages", self._message),
            ("edits", self._edit),
            ("deletions", self._deletion),
            ("notes", self._note),
            ("reactions", self._reaction),
            ("presses", self._press),
        ]

    async def _message(self, request: Request, inbox: Inbox) -> Response:
        language = events.spoken(request.headers.get("accept-language"))
        message = events.to_message(await request_guard.body(request), now(), language)
        await inbox.message(message)
        return _stored(message.ref)

    async def _edit(self, request: Request, inbox: Inbox) -> Response:
        edit = events.to_edit(await request_guard.body(request), self.rooms, now())
        await inbox.edit(edit)
        return _stored(edit.ref)

    async def _deletion(self, request: Request, inbox: Inbox) -> Response:
        deletion = events.to_deletion(await request_guard.body(request), self.rooms, now())
        await inbox.deletion(deletion)
        return _stored(deletion.ref)

    async def _note(self, request: Request, inbox: Inbox) -> Response:
        note = events.to_note(await request_guard.body(request), self.team_rooms, now())
        await inbox.note(note)
        return _stored(note.ref)

    async def _reaction(self, request: Request, inbox: Inbox) -> Response:
        reaction = events.to_reaction(await request_guard.body(request), self.rooms, now())
        await inbox.reaction(reaction)
        return _stored(reaction.ref)

    async def _press(self, request: Request, inbox: Inbox) -> Response:
        press = events.to_press(await request_guard.body(request), self.rooms, now())
        await inbox.press(press)
        if why := await self.refusal(press):
            return JSONResponse({"problem": why}, 403)
        return _stored(press.ref)


def _stored(ref: MessageRef) -> Response:
    return JSONResponse({"stored": {"room": ref.chat, "id": ref.id}})


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)
