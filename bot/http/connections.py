"""Bounds the site's connections in number and in time, so that silent or slow clients hold up nobody.

uvicorn itself waits for ever for a request that has not begun, and accepts as many connections as the process may open
files.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import TypeGuard

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 512
"""The most connections at a time. One more closes the one that has waited longest for a complete request."""
REQUEST_SECONDS = 15.0
"""Seconds for a request to arrive, its body included: Slack and Telegram need a fraction of one."""
AT_ONCE = 64
"""Connections accepted before the open ones are served again: a burst must not use up the process's files."""
BACKLOG = 4_096
"""Connections that may wait to be accepted: in a burst, clients should not have to try again a second later."""
HEADER_BYTES = 64 * 1024
"""The most bytes before a body. h11 itself limits only requests that have not arrived completely yet."""


class BoundedConnection(H11Protocol):
    """One connection."""

    most = MOST
    seconds = REQUEST_SECONDS
    _deadline: asyncio.TimerHandle | None = None
    _heard: object = None
    """The latest request that arrived completely."""
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept it, if necessary by closing one that waits for a request."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.most:
            waiting = [one for one in self.connections if _waits(one)]
            min(waiting, key=lambda one: one._since).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Receive bytes: from its first one on, a request has `seconds` to arrive completely."""
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and cycle is not self._heard and not cycle.more_body:
            self._heard = cycle
            self._rest()
        elif self._deadline is None and (cycle is not self._heard or cycle.response_complete):
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer of a closed connection."""
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
    """Whether it has no complete request; always true of the newest connection."""
    return isinstance(one, BoundedConnection) and one._deadline is not None


@dataclass(frozen=True, slots=True)
class BoundedHeaders:
    """Refuses a request with too large headers, however many reads they arrived in."""

    application: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 431 and close the connection."""
        if scope["type"] == "http" and _before_the_body(scope) > HEADER_BYTES:
            refusal = PlainTextResponse("The headers are larger than 64 KiB.\n", 431, {"Connection": "close"})
            await refusal(scope, receive, send)
        else:
            await self.application(scope, receive, send)


def _before_the_body(scope: Scope) -> int:
    """Bytes before the body, separators and line ends included."""
    lines = sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
    return lines + len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"])


class BurstSocket(socket.socket):
    """A listening socket with a long queue, of which the event loop accepts a few connections at a time.

    The loop accepts as many at once as the backlog it asked for, and each takes a file.
    """

    def listen(self, backlog: int = BACKLOG, /) -> None:
        """Listen with a queue of at least `BACKLOG`, whatever the event loop asks for."""
        super().listen(max(backlog, BACKLOG))
