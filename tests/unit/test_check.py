"""What a check finds out about the model and the platforms, and that errors do not end it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from bot import check
from bot.domain.errors import Refused, SwitchboardError, Unreachable
from bot.domain.memory_vote import Neighbours
from bot.domain.tasks import Learning
from bot.flow.classify import Classifier
from bot.platforms import Finding, PlatformContext, PlatformModule
from tests.fakes import FakePredictor, fake_classifier
from tests.samples import TASK


async def model(failure: SwitchboardError | None = None, opens: bool = True) -> Finding:
    predictor = FakePredictor()
    predictor.failure = failure

    @asynccontextmanager
    async def open_model_stack() -> AsyncIterator[Classifier]:
        if not opens:
            raise Refused("vLLM is not installed")
        yield fake_classifier(Neighbours(), predictor)

    return await check.of_the_model(TASK, open_model_stack)


async def test_a_model_that_answers_is_named() -> None:
    assert await model() == Finding("the model answers (routing-1)", True)


async def test_a_model_that_is_away_or_cannot_be_started_says_what_to_do() -> None:
    away = await model(Unreachable("no connection"))
    assert (away.ok, "model.server" in away.remedy) == (False, True)
    assert await model(opens=False) == Finding("the model answers", False, "vLLM is not installed")


class Checked:
    """A platform that finds one thing, and then raises an error if it is told to."""

    def __init__(self, breaks: bool = False, answers: bool = True) -> None:
        self.breaks = breaks
        self.answers = answers
        self.all_asked = asyncio.Barrier(1)

    async def check(self, config: object, around: object) -> AsyncIterator[Finding]:
        yield Finding(f"{config}", self.answers)
        if self.breaks:
            raise Unreachable("slack: timed out")

    async def live_check(self, config: object, around: object) -> AsyncIterator[Finding]:
        yield Finding(f"{config} asks", True)
        await self.all_asked.wait()
        yield Finding(f"{config} hears", True)


async def found(monkeypatch: pytest.MonkeyPatch, live: bool, **platforms: Checked) -> list[tuple[str, Finding]]:
    there = {name: cast(PlatformModule, platform) for name, platform in platforms.items()}
    monkeypatch.setattr(check, "platform_modules", lambda: there)
    configs = {name: name.upper() for name in platforms}
    return [one async for one in check.of_platforms(configs, cast(PlatformContext, None), live)]


async def test_every_platform_is_looked_at_even_after_one_broke_down(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await found(monkeypatch, live=False, slack=Checked(breaks=True), telegram=Checked()) == [
        ("slack", Finding("SLACK", True)),
        ("slack", Finding("it can be looked at", False, "slack: timed out")),
        ("telegram", Finding("TELEGRAM", True)),
    ]


def test_the_next_three_runs_are_shown_in_their_zone() -> None:
    task = replace(TASK, learning=Learning("0 3 * * sun", 25, "Europe/Lisbon"))
    told = check.of_the_schedule(task, datetime(2026, 11, 24, tzinfo=UTC))
    assert told == Finding(
        "routing learns next, if 25 corrections wait: Sun 2026-11-29 03:00, Sun 2026-12-06 03:00, "
        "Sun 2026-12-13 03:00 (Europe/Lisbon)",
        True,
    )


async def test_live_asks_on_every_platform_before_it_waits_on_any(monkeypatch: pytest.MonkeyPatch) -> None:
    both = asyncio.Barrier(2)
    slack, telegram = Checked(), Checked()
    slack.all_asked = telegram.all_asked = both
    async with asyncio.timeout(10):
        said = [finding.what for _, finding in await found(monkeypatch, live=True, slack=slack, telegram=telegram)]
    assert said[:2] == ["SLACK", "TELEGRAM"]
    assert sorted(said[2:4]) == ["SLACK asks", "TELEGRAM asks"]
    assert sorted(said[4:]) == ["SLACK hears", "TELEGRAM hears"]


async def test_a_platform_that_does_not_answer_is_not_tried_live(monkeypatch: pytest.MonkeyPatch) -> None:
    said = await found(monkeypatch, live=True, slack=Checked(answers=False), telegram=Checked())
    assert [finding.what for _, finding in said] == ["SLACK", "TELEGRAM", "TELEGRAM asks", "TELEGRAM hears"]


async def test_a_ray_cluster_is_looked_for_and_so_is_ray_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:  # what listens need not accept
        address = f"ray://127.0.0.1:{there.getsockname()[1]}"
        monkeypatch.setattr(check, "find_spec", lambda name: None)
        missing = await check.of_the_cluster(address)
        monkeypatch.setattr(check, "find_spec", lambda name: object())
        answers = await check.of_the_cluster(address)
    assert (missing.ok, "install the extra `ray`" in missing.remedy) == (False, True)
    assert answers == Finding(f"trainings go to the Ray cluster at {address}, which answers", True)
    away = await check.of_the_cluster(address)
    assert (away.ok, f"the Ray cluster at {address} does not answer" in away.remedy) == (False, True)
