"""A recording proxy: passes everything on to a server on this machine, and records requests and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from aiohttp import web

from inference.http import open_line
from tests.servers.wire import Json


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that had a body, and its answer."""

    path: str
    asked: Json
    answered: bytes


class Recorder:
    """Listens on its own socket while an `async with` lasts."""

    def __init__(self, behind: str, socket: Path) -> None:
        """`behind` is the server's address; both are as in `model.server`."""
        self.exchanges: list[Exchange] = []
        self.url = f"unix:{socket}"
        self._line = open_line(behind, patience=120.0)
        self._socket = socket
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._passed_on)
        self._runner = web.AppRunner(app)

    def of(self, path: str) -> Sequence[Exchange]:
        """The requests to that path, in order."""
        return [one for one in self.exchanges if one.path == path]

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._line.aclose()

    async def _passed_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        kept = {"content-type": request.content_type} if body else {}
        answer: httpx.Response = await self._line.request(request.method, request.path_qs, content=body, headers=kept)
        if body:
            self.exchanges.append(Exchange(request.path, await request.json(), answer.content))
        told = answer.headers.get("content-type", "text/plain").partition(";")[0]
        return web.Response(status=answer.status_code, body=answer.content, content_type=told)
