"""The sites of several workspaces at one address, each below a path of its own and apart from the others."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.http.app import site


@dataclass(frozen=True, slots=True)
class WorkspaceSite:
    """One workspace's site, and its path."""

    path: str
    """The prefix of all its paths; empty for the one at the root."""
    application: Starlette
    around: Callable[[], AbstractContextManager[None]]
    """The context in which each of its requests is answered."""


def whole_site(sites: Sequence[WorkspaceSite]) -> Starlette:
    """The application for all sites; the first is also the one at the root."""
    first = sites[0]
    mounts = [Mount(one.path, app=_Around(one)) for one in sites if one.path]
    return site([*mounts, Mount("/", app=_Around(first))]) if mounts else first.application


@dataclass(frozen=True, slots=True)
class _Around:
    """Answers a request in its workspace's context."""

    site: WorkspaceSite

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        application: ASGIApp = self.site.application
        with self.site.around():
            await application(scope, receive, send)
