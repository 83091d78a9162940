"""The HTTP line to a model server, and what its failures mean to us."""

from enum import Enum

import httpx

from bot.domain.errors import Refused, Unreachable
from bot.domain.tracing import headers

_CONNECT_SECONDS = 3.0
LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""We hang up a connection that nobody uses: before the server does (uvicorn: 5 s) as we send on it."""
UNIX = "unix:"
"""What the address of a socket begins with."""
_HEALTH_SECONDS = 5.0
_HUNG_UP = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


def open_line(url: str, patience: float = 30.0, key: str = "") -> httpx.AsyncClient:
    """A client for the server at this address: http://…, https://…, or unix:/… for a socket of this machine.

    `patience`: seconds after which a silent server counts as down. `key`: what it was started to want (`--api-key`).
    """
    if url.startswith(UNIX):
        return open_local_line(httpx.AsyncHTTPTransport(uds=url.removeprefix(UNIX), limits=LIMITS), patience, key)
    return httpx.AsyncClient(
        base_url=url.rstrip("/").removesuffix("/v1"),
        headers=_shown(key),
        timeout=_timeout(patience),
        limits=LIMITS,
        trust_env=False,  # a proxy between the bot and its own model is never meant
    )


def open_local_line(way: httpx.AsyncBaseTransport, patience: float = 30.0, key: str = "") -> httpx.AsyncClient:
    """A client for a server of this machine that is reached that way."""
    return httpx.AsyncClient(
        base_url="http://local", transport=way, headers=_shown(key), timeout=_timeout(patience), trust_env=False
    )


def _shown(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _timeout(patience: float) -> httpx.Timeout:
    return httpx.Timeout(patience, connect=_CONNECT_SECONDS, pool=None)


def named(line: httpx.AsyncClient) -> str:
    """The server at the other end, for people to read."""
    host, port = line.base_url.host, line.base_url.port
    return f"model server ({host})" if port is None else f"model server {host}:{port}"


async def send(line: httpx.AsyncClient, method: str, path: str, body: object = None) -> httpx.Response:
    """The server's answer, whatever its status below 500. Raises Unreachable."""
    who = named(line)
    try:
        response = await _request(line, method, path, body)
    except httpx.TimeoutException as error:
        raise Unreachable(f"{who}: timed out") from error
    except httpx.TransportError as error:
        raise Unreachable(f"{who}: no connection ({type(error).__name__})") from error
    if response.status_code >= 500 or response.status_code in (408, 429):
        raise Unreachable(f"{who}: answered {response.status_code}")
    return response


def accepted(response: httpx.Response, what: str) -> httpx.Response:
    """The response itself when it is a success. Raises Refused, saying `what` was refused."""
    if response.is_success:
        return response
    if response.status_code in (401, 403):
        raise Refused(f"model server: {what} was refused ({response.status_code}); set MODEL_API_KEY to its key")
    # Never the body: the server repeats the request in it, and with it what a person wrote.
    raise Refused(f"model server: {what} was refused ({response.status_code})")


class Health(Enum):
    """How a server answers when asked for its health."""

    ALIVE = "alive"
    SILENT = "silent"
    """It took the call but did not answer in time: busy, or hung."""
    GONE = "gone"
    """Nobody is there, or its engine is dead."""


async def health(line: httpx.AsyncClient) -> Health:
    """Ask the server for its health, with little patience."""
    try:
        response = await _request(line, "GET", "/health", timeout=_HEALTH_SECONDS)
    except httpx.TimeoutException:
        return Health.SILENT
    except httpx.TransportError:
        return Health.GONE
    return Health.ALIVE if response.is_success else Health.GONE


async def _request(
    line: httpx.AsyncClient, method: str, path: str, body: object = None, timeout: float | None = None
) -> httpx.Response:
    """Send, and once more when the server hung up on an idle connection: all we ask for may be asked for twice."""
    patience = line.timeout if timeout is None else timeout
    try:
        return await line.request(method, path, json=body, timeout=patience, headers=headers())
    except _HUNG_UP:
        return await line.request(method, path, json=body, timeout=patience, headers=headers())
