"""Several sites at one address: a path of one site never answers below another."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.http.app import site
from bot.http.workspaces import WorkspaceSite, whole_site

entered: list[str] = []


@contextmanager
def around(name: str) -> Iterator[None]:
    entered.append(name)
    yield


def of(name: str, path: str, *paths: str) -> WorkspaceSite:
    async def answer(_: Request) -> Response:
        return PlainTextResponse(name)

    return WorkspaceSite(path, site([Route(one, answer) for one in paths]), partial(around, name))


async def test_each_answers_below_its_own_path_alone() -> None:
    entered.clear()
    whole = whole_site(
        [
            of("main", "", "/", "/both"),
            of("acme", "/workspaces/acme", "/both", "/hers"),
            of("beta", "/workspaces/beta", "/"),
        ]
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(whole), base_url="http://127.0.0.1") as browser:

        async def said(path: str) -> str | int:
            answer = await browser.get(path)
            return answer.text if answer.status_code == 200 else answer.status_code

        assert [await said(path) for path in ("/", "/both", "/workspaces/acme/both")] == ["main", "main", "acme"]
        assert [await said(path) for path in ("/workspaces/acme/hers", "/workspaces/beta/")] == ["acme", "beta"]
        strays = ("/hers", "/workspaces/beta/hers", "/workspaces/beta/both", "/workspaces/gamma/both", "/workspaces")
        assert [await said(path) for path in strays] == [404] * 5
        assert await said("/workspaces/beta/../acme/hers") == "acme"  # the client resolves it; no way around a path
    assert entered[:3] == ["main", "main", "acme"]


async def test_one_alone_is_the_site() -> None:
    only = of("main", "", "/")
    assert whole_site([only]) is only.application
