"""A socket in a folder that only our own user may enter, where a port would be open to everybody on this machine.

Nobody else can take the address before our server has it, ask the server anything, or have it load an adapter.
"""

import hashlib
import os
import secrets
import stat
from pathlib import Path

import httpx

from bot.domain.errors import Refused
from inference.http import LIMITS

_LONGEST = 107
"""The most bytes of a socket's path, some of which the name takes."""
_NAME = "vllm-{}.sock"


def fresh_socket(directory: Path) -> Path:
    """A path where a server of this directory may listen; nothing is there yet. Raises Refused, OSError."""
    return _folder(directory) / _NAME.format(secrets.token_hex(4))


def _folder(directory: Path) -> Path:
    """A folder in the directory, or one in /tmp if its path is too long for a socket."""
    inside = directory.resolve() / "sockets"
    longest = len(os.fsencode(inside / _NAME.format("0" * 8)))
    digest = hashlib.sha256(os.fsencode(inside)).hexdigest()[:12]
    # Always /tmp, whatever TMPDIR says, as with the database's socket
    folder = inside if longest <= _LONGEST else Path("/tmp") / f"switchboard-vllm-{os.geteuid()}-{digest}"  # noqa: S108
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise Refused(f"{folder} belongs to somebody else; remove it, or give model.runs a shorter path")
    folder.chmod(0o700)
    return folder


class SocketTransport(httpx.AsyncBaseTransport):
    """An HTTP transport to the socket it was given last: a new server has a new socket."""

    def __init__(self) -> None:
        self._way: httpx.AsyncHTTPTransport | None = None
        self._socket: Path | None = None

    @property
    def socket(self) -> Path | None:
        """The current socket; None: not set yet."""
        return self._socket

    async def lead_to(self, socket: Path) -> None:
        """Use this socket from the next request on."""
        before = self._way
        self._way, self._socket = httpx.AsyncHTTPTransport(uds=str(socket), limits=LIMITS), socket
        if before is not None:
            await before.aclose()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx. Raises ConnectError while no socket is set."""
        if self._way is None:
            raise httpx.ConnectError("no server yet", request=request)
        return await self._way.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._way is not None:
            await self._way.aclose()
