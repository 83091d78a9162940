"""The Starlette application around the platforms' routes."""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.http.metrics import Metrics
from bot.http.shared_look import SharedLook

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
"""Part -> whether it works now."""
Ages = Callable[[], Awaitable[Mapping[str, float | None]]]
"""Each kind of waiting item, and the model -> age in seconds; None where there is none or it is unknown."""
_FRESH = 1.0
"""Seconds for which a result is served again, so that frequent probes do not keep the database busy."""


async def _no_ages() -> Mapping[str, float | None]:
    return {}


@dataclass(frozen=True, slots=True)
class WebApp:
    """Answers probes and hands everything else to the platforms."""

    readiness: Readiness
    metrics: Metrics
    ages: Ages = _no_ages
    token: str = field(default="", repr=False)
    """The token that `/readyz` and `/metrics` demand (`Authorization: Bearer …`); empty: none."""
    _ready_now: SharedLook[Response] = field(init=False, repr=False)
    _figures_now: SharedLook[Response] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ready_now", SharedLook(self._ready, _FRESH))
        object.__setattr__(self, "_figures_now", SharedLook(self._figures, _FRESH))

    def application(self, routes: Sequence[BaseRoute]) -> Starlette:
        """The whole site, with the platforms' `routes`."""
        return site(
            [
                Route("/healthz", _alive),
                Route("/readyz", self._shown(self._ready_now)),
                Route("/metrics", self._shown(self._figures_now)),
                *routes,
            ]
        )

    def _shown(self, look: SharedLook[Response]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if not self._may_look(request.headers.get("authorization", "")):
                wanted = {"WWW-Authenticate": "Bearer"}
                return PlainTextResponse("Show the token that is in SWITCHBOARD_PROBE_TOKEN.\n", 401, wanted)
            return await look()

        return answer

    def _may_look(self, shown: str) -> bool:
        scheme, _, token = shown.partition(" ")
        known = hmac.compare_digest(token.strip().encode(), self.token.encode())
        return not self.token or (scheme.lower() == "bearer" and known)

    async def _ready(self) -> Response:
        parts = await self.readiness()
        seconds = {name: None if age is None else round(age, 1) for name, age in (await self.ages()).items()}
        body: dict[str, object] = {**parts, **({"seconds": seconds} if seconds else {})}
        return JSONResponse(body, status_code=200 if all(parts.values()) else 503)

    async def _figures(self) -> Response:
        await self.metrics.refresh()
        return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def site(routes: Sequence[BaseRoute]) -> Starlette:
    """An application that logs no error when a client disconnects in the middle of a request."""
    return Starlette(routes=routes, exception_handlers={ClientDisconnect: _hung_up})


async def _hung_up(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("ok\n")
