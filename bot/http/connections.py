"""The connections of the site, bounded in number and in time: who says nothing, or says it slowly, holds up nobody.

uvicorn itself waits for ever for a request that has not begun, and takes as many connections as there are files.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import TypeGuard

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 512
"""Connections at a time. Where one more comes, the one that has waited longest without a whole request gives way."""
REQUEST_SECONDS = 15.0
"""For a request to arrive whole, its body included: Slack and Telegram need a fraction of one."""
AT_ONCE = 64
"""Connections taken before those that are there are looked at again: a burst must not use up the process's files."""
BACKLOG = 4_096
"""Connections that may wait to be taken: what comes in a burst must not have to knock again a second later."""
HEADER_BYTES = 64 * 1024
"""For all that stands before a body. h11 asks for as little only of what is not there whole yet."""


class BoundedConnection(H11Protocol):
    """One connection."""

    most = MOST
    seconds = REQUEST_SECONDS
    _deadline: asyncio.TimerHandle | None = None
    _heard: object = None
    """The request that arrived whole last."""
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it, if need be in the place of one that only waits."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.most:
            waiting = [one for one in self.connections if _waits(one)]
            min(waiting, key=lambda one: one._since).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request: from its first one on it has so long to become whole."""
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and cycle is not self._heard and not cycle.more_body:
            self._heard = cycle
            self._rest()
        elif self._deadline is None and (cycle is not self._heard or cycle.response_complete):
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._rest()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._since = self.loop.time()
        self._deadline = self.loop.call_later(self.seconds, self._give_up)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.abort()


def _waits(one: object) -> TypeGuard[BoundedConnection]:
    """Whether it has no whole request; the newest of all always has none."""
    return isinstance(one, BoundedConnection) and one._deadline is not None


@dataclass(frozen=True, slots=True)
class BoundedHeaders:
    """Refuses a request whose headers are too large, however many reads they came in."""

    application: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say why not and hang up."""
        if scope["type"] == "http" and _before_the_body(scope) > HEADER_BYTES:
            refusal = PlainTextResponse("The headers are larger than 64 KiB.\n", 431, {"Connection": "close"})
            await refusal(scope, receive, send)
        else:
            await self.application(scope, receive, send)


def _before_the_body(scope: Scope) -> int:
    """Bytes, with what parts a name from its value and a line from the next."""
    lines = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
    return lines + len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"])


class BurstSocket(socket.socket):
    """A listening socket with a long line before it, of which the loop takes a few at a time.

    The loop takes as many at once as it told the socket may wait, and each is a file.
    """

    def listen(self, backlog: int = BACKLOG, /) -> None:
        """Whatever the loop says: the line is long."""
        super().listen(max(backlog, BACKLOG))
