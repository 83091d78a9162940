"""Which requests are accepted: from this machine, from our own page, to this machine, with a valid body.

Nobody signs in to the local chat, and anybody may act as its lead: only this machine may use it, whatever address it
listens at, and the networks that the settings name. Another website in the same browser can send requests from here,
too, so they must come from our own page (same origin, JSON) and be addressed to this machine by number or as localhost
(which stops names that were rebound to it).
"""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request

from bot.domain.errors import UsageError

POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""The headers of every answer."""
_MAX_BODY = 2_000_000
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers that proxies add: the sender of a forwarded request is unknown."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def outsider(request: Request, networks: Sequence[Network]) -> str | None:
    """Why the sender may not use the chat; None when they are at this machine, or in one of the networks."""
    if any(header in request.headers for header in _PASSED_ON):
        return "The local chat is not for proxies: whoever it is reached by may act as its lead."
    if request.client is None or not _from(request.client.host, networks):
        return "The local chat is for this machine alone; platforms.web.networks lets others in."
    return None


def _from(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_loopback or any(found in network for network in networks)


def stranger(method: str, headers: Mapping[str, str]) -> str | None:
    """Why this request did not come from our own page; None when it may have."""
    host = headers.get("host", "")
    if not _this_machine(host):
        return "Open this page by the machine's number or as localhost."
    if method != "POST":
        return None
    origin = headers.get("origin")
    # Only browsers send this header, and no page can make them send another value
    elsewhere = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    if elsewhere or (origin is not None and urlsplit(origin).netloc != host):
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


async def body(request: Request) -> object:
    """The request's JSON. Raises UsageError when it is too long or not JSON."""
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > _MAX_BODY:
            raise UsageError("That is too long to be a message.")
    try:
        made: object = json.loads(read)
    except (ValueError, RecursionError) as error:
        raise UsageError("Send one JSON object.") from error
    return made
