"""Probes: open to all or with a token, and one check for all requests that arrive together."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette

from bot.http import app
from bot.http.app import WebApp
from bot.http.metrics import Metrics
from bot.http.shared_look import SharedLook
from tests.fakes_failed_items import FakeFailedItems
from tests.unit.http.test_metrics import Figures

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


class Looked:
    """Counts checks, each of which takes a moment."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> Mapping[str, bool]:
        self.times += 1
        await asyncio.sleep(0.01)
        return {"database": True}


def client(application: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://127.0.0.1")


async def test_twenty_five_who_look_at_once_cost_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_FRESH", 60.0)
    looked, figures = Looked(), Figures()
    web = WebApp(looked, Metrics(figures, lambda: NOW, FakeFailedItems()))
    async with client(web.application([])) as browser:
        answers = await asyncio.gather(
            *(browser.get(path) for _ in range(25) for path in ("/readyz", "/metrics")),
        )
        await browser.get("/readyz")
    assert {answer.status_code for answer in answers} == {200}
    assert (looked.times, figures.counted) == (1, 1)


async def test_a_look_that_failed_is_repeated() -> None:
    class Broken(Looked):
        async def __call__(self) -> Mapping[str, bool]:
            await super().__call__()
            if self.times == 1:
                raise ValueError("once")
            return {}

    looked = Broken()
    shared = SharedLook(looked, 60.0)
    with pytest.raises(ValueError, match="once"):
        await shared()
    assert await shared() == {}


async def test_who_stops_waiting_takes_the_answer_from_nobody_else() -> None:
    looked = Looked()
    shared = SharedLook(looked, 60.0)
    impatient, patient = asyncio.create_task(shared()), asyncio.create_task(shared())
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == {"database": True}
    assert looked.times == 1


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer wrong", "Basic s3cret-token", "s3cret-token", "Bearer \xff"]
)
async def test_with_a_token_nobody_looks_who_does_not_show_it(shown: str | None) -> None:
    web = WebApp(Looked(), Metrics(Figures(), lambda: NOW, FakeFailedItems()), token="s3cret-token")
    async with client(web.application([])) as browser:
        for path in ("/readyz", "/metrics"):
            headers = [] if shown is None else [(b"authorization", shown.encode("latin-1"))]
            assert (await browser.get(path, headers=headers)).status_code == 401
            answer = await browser.get(path, headers={"authorization": "Bearer s3cret-token"})
            assert answer.status_code == 200
        assert (await browser.get("/healthz")).status_code == 200
    assert "s3cret-token" not in repr(web)


async def test_ages_stand_beside_the_parts_and_decide_nothing() -> None:
    async def ages() -> Mapping[str, float | None]:
        return {"oldest_undecided": 3.14159, "oldest_unsaid": None, "model": 86_400.0}

    web = WebApp(Looked(), Metrics(Figures(), lambda: NOW, FakeFailedItems()), ages)
    async with client(web.application([])) as browser:
        answer = await browser.get("/readyz")
    assert answer.status_code == 200
    seconds = {"oldest_undecided": 3.1, "oldest_unsaid": None, "model": 86_400.0}
    assert answer.json() == {"database": True, "seconds": seconds}
