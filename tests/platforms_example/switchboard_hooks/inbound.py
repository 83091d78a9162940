"""Receiving what the chat posts: it is stored, and only then acknowledged."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.errors import Unreachable, UsageError
from bot.domain.messages import Message, Note, Press, Reaction
from bot.domain.ports import Inbox
from switchboard_hooks.events import Fact, read


class Inbound:
    """Passes facts to the inbox while there is one."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}"
        self._inbox: Inbox | None = None

    @property
    def listening(self) -> bool:
        return self._inbox is not None

    @contextmanager
    def to(self, inbox: Inbox) -> Iterator[None]:
        """Facts are passed there while the context lasts."""
        self._inbox = inbox
        try:
            yield
        finally:
            self._inbox = None

    async def take(self, request: Request) -> Response:
        """200: it is stored. Anything else: it is not, and 503 asks to try again."""
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._expected.encode()):
            return Response(status_code=403)
        if self._inbox is None:
            return Response(status_code=503)
        try:
            await _store(self._inbox, read(request.path_params["kind"], await request.json(), datetime.now(UTC)))
        except (UsageError, ValueError) as error:
            return JSONResponse({"problem": str(error)}, 422)
        except Unreachable:
            return Response(status_code=503)
        return Response(status_code=200)


async def _store(inbox: Inbox, fact: Fact) -> None:
    match fact:
        case Message():
            await inbox.message(fact)
        case Note():
            await inbox.note(fact)
        case Reaction():
            await inbox.reaction(fact)
        case Press():
            await inbox.press(fact)
