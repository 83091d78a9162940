"""Runs uvicorn on a socket of ours; cancelling the task stops it."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from bot.domain.errors import UsageError
from bot.http.connections import AT_ONCE, BACKLOG, BoundedConnection, BoundedHeaders, BurstSocket

_PATIENCE = 2
"""Seconds for which open pages may delay the server's stop."""


@contextmanager
def listening_socket(host: str, port: int) -> Iterator[socket.socket]:
    """The socket to serve on, opened early so that a taken port is reported before slow work. Raises UsageError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise UsageError(
            f"web.listen: {host}:{port} {why}; stop that program, or listen elsewhere: "
            "web.listen in the settings, --listen HOST:PORT for the demo"
        ) from error
    with BurstSocket(fileno=made.detach()) as listening:
        yield listening


async def serve_http(
    application: Starlette, listening: socket.socket, connection: type[BoundedConnection] = BoundedConnection
) -> None:
    """Serve until cancelled, then finish the answers in progress."""
    settings = uvicorn.Config(
        BoundedHeaders(application),
        http=connection,
        ws="none",
        backlog=AT_ONCE,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # headers of proxies are not trusted
        timeout_graceful_shutdown=_PATIENCE,
    )
    server = _Quiet(settings)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise


class _Quiet(uvicorn.Server):
    """A server that leaves signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
