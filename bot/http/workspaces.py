"""The sites of several workspaces at one address: each below a path of its own, and nothing of one below another's."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.http.app import site


@dataclass(frozen=True, slots=True)
class WorkspaceSite:
    """One workspace's site, and where it is."""

    path: str
    """What stands before all its addresses; empty: nothing, it is the one at the root."""
    application: Starlette
    around: Callable[[], AbstractContextManager[None]]
    """Entered while one request is answered."""


def whole_site(sites: Sequence[WorkspaceSite]) -> Starlette:
    """All of them; the first answers at the root, too."""
    first = sites[0]
    mounts = [Mount(one.path, app=_Around(one)) for one in sites if one.path]
    return site([*mounts, Mount("/", app=_Around(first))]) if mounts else first.application


@dataclass(frozen=True, slots=True)
class _Around:
    """Answers a request as its workspace's."""

    site: WorkspaceSite

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        application: ASGIApp = self.site.application
        with self.site.around():
            await application(scope, receive, send)
