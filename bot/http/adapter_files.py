"""Serves adapters to a model server that shares no folder with us: two files of each, to callers with the token."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import Refused, Unreachable

FindAdapter = Callable[[str], Awaitable[Path | None]]
"""Adapter name -> the folder of the complete adapter, as it was judged; None when there is none. Raises Refused."""
Sums = Callable[[Path], Mapping[str, str]]
"""Folder -> sha256 of each adapter file in it that may be fetched. Raises OSError."""


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """`/adapters/NAME` lists the files with their checksums; `/adapters/NAME/FILE` returns one of them."""

    find: FindAdapter
    sums: Sums
    token: str = field(repr=False)

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes; none without a token, so that nobody can fetch anything."""
        if not self.token:
            return []
        return [
            Route("/adapters/{name}", self._shown(self._listed), methods=["GET"]),
            Route("/adapters/{name}/{file}", self._shown(self._file), methods=["GET"]),
        ]

    def _shown(
        self, answer: Callable[[Path, Mapping[str, str], Request], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            kind, _, shown = request.headers.get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), self.token.encode()):
                wanted = {"WWW-Authenticate": "Bearer"}
                return PlainTextResponse("Show the token that is in SWITCHBOARD_ADAPTER_TOKEN.\n", 401, wanted)
            name = request.path_params["name"]
            try:
                folder = await self.find(name)
                if folder is None:
                    return PlainTextResponse(f"There is no adapter {name} here.\n", 404)
                return answer(folder, await asyncio.to_thread(self.sums, folder), request)
            except Refused as error:
                return PlainTextResponse(f"{error}\n", 409)
            except (Unreachable, OSError):
                return PlainTextResponse("Not now; try again.\n", 503)

        return answered

    def _listed(self, folder: Path, sums: Mapping[str, str], request: Request) -> Response:
        return JSONResponse({"adapter": request.path_params["name"], "files": dict(sums)})

    def _file(self, folder: Path, sums: Mapping[str, str], request: Request) -> Response:
        file = request.path_params["file"]
        if file not in sums:
            return PlainTextResponse(f"An adapter has {' and '.join(sums)}.\n", 404)
        return FileResponse(folder / file, media_type="application/octet-stream")
