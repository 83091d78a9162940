"""The HTTP connection to a model server, and what its failures mean."""

from enum import Enum

import httpx

from bot.domain.errors import Refused, Unreachable
from bot.domain.tracing import headers

_CONNECT_SECONDS = 3.0
LIMITS = httpx.Limits(keepalive_expiry=2.0)
"""We close idle connections before the server does (uvicorn: after 5 s), which could be while we send."""
UNIX = "unix:"
"""The prefix of a socket's address."""
_HEALTH_SECONDS = 5.0
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading an answer raises that has another shape than promised: no JSON, nested too deep, numbers without end."""
_HUNG_UP = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


def open_line(url: str, patience: float = 30.0, key: str = "") -> httpx.AsyncClient:
    """A client for the server at this address: http://…, https://…, or unix:/… for a socket on this machine.

    `patience`: seconds after which a silent server counts as down. `key`: the key it was started with (`--api-key`).
    """
    if url.startswith(UNIX):
        return open_local_line(httpx.AsyncHTTPTransport(uds=url.removeprefix(UNIX), limits=LIMITS), patience, key)
    return httpx.AsyncClient(
        base_url=url.rstrip("/").removesuffix("/v1"),
        headers=_shown(key),
        timeout=_timeout(patience),
        limits=LIMITS,
        trust_env=False,  # no proxy is meant between the bot and its own model
    )


def open_local_line(way: httpx.AsyncBaseTransport, patience: float = 30.0, key: str = "") -> httpx.AsyncClient:
    """A client for a server on this machine that is reached by this transport."""
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
    """The server's answer, for any status below 500 but 408 and 429. Raises Unreachable."""
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
    """The response itself if it is a success. Raises Refused, which says that `what` was refused."""
    if response.is_success:
        return response
    if response.status_code in (401, 403):
        raise Refused(f"model server: {what} was refused ({response.status_code}); set MODEL_API_KEY to its key")
    # Never the body: the server repeats the request in it, and with it what a person wrote.
    raise Refused(f"model server: {what} was refused ({response.status_code})")


class Health(Enum):
    """A server's answer to a health check."""

    ALIVE = "alive"
    SILENT = "silent"
    """It accepted the call but did not answer in time: busy, or hung."""
    GONE = "gone"
    """No server is there, or its engine is dead."""


async def health(line: httpx.AsyncClient) -> Health:
    """Check the server's health, waiting a few seconds at most."""
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
    """Send, and once more if the server closed an idle connection: every request of ours may safely be repeated."""
    patience = line.timeout if timeout is None else timeout
    try:
        return await line.request(method, path, json=body, timeout=patience, headers=headers())
    except _HUNG_UP:
        return await line.request(method, path, json=body, timeout=patience, headers=headers())
