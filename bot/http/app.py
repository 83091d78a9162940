"""The Starlette application around the platforms' routes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.http.metrics import Metrics

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
"""Part -> whether it works now."""


@dataclass(frozen=True, slots=True)
class WebApp:
    """Answers probes and hands everything else to the platforms."""

    readiness: Readiness
    metrics: Metrics

    def application(self, routes: Sequence[BaseRoute]) -> Starlette:
        """The whole site; `routes` are the platforms'."""
        own = [
            Route("/healthz", _alive),
            Route("/readyz", self._ready),
            Route("/metrics", self._figures),
        ]
        return Starlette(routes=[*own, *routes])

    async def _ready(self, _: Request) -> Response:
        parts = await self.readiness()
        return JSONResponse(dict(parts), status_code=200 if all(parts.values()) else 503)

    async def _figures(self, _: Request) -> Response:
        await self.metrics.refresh()
        return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("ok\n")
