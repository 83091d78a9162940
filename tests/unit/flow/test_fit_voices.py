"""The voices follow the examples, in seconds, and a fit that fails stops nothing."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.errors import TrainingFailed, Unreachable
from bot.domain.model_ports import Lesson
from bot.domain.tasks import Task
from bot.flow.fit_voices import MAX_LESSONS, VoiceFitter
from tests.fakes_voices import FakeLessons, FakeVoices
from tests.samples import TASK

LESSONS = [Lesson("1", "I was charged twice", "billing", None), Lesson("2", "my laptop is broken", "it", None)]


def fitter(lessons: FakeLessons, voices: FakeVoices) -> VoiceFitter:
    return VoiceFitter((TASK,), lessons, voices, "fake")


async def test_they_are_fitted_when_the_examples_change_and_not_again() -> None:
    lessons, voices = FakeLessons(list(LESSONS)), FakeVoices()
    assert await fitter(lessons, voices).step() == 0
    assert await fitter(lessons, voices).step() == 0
    assert len(voices.fits) == 1
    lessons.known.append(Lesson("3", "where is my parcel", "delivery", None))
    await fitter(lessons, voices).step()
    assert [len(fit) for fit in voices.fits] == [2, 3]


async def test_one_team_alone_is_nothing_to_tell_apart() -> None:
    voices = FakeVoices()
    await fitter(FakeLessons(LESSONS[:1]), voices).step()
    assert voices.fits == []


async def test_a_fit_that_fails_is_said_and_rests(caplog: pytest.LogCaptureFixture) -> None:
    voices = FakeVoices(failure=TrainingFailed("it ended with 1"))
    one = fitter(FakeLessons(list(LESSONS)), voices)
    with caplog.at_level(logging.ERROR):
        assert await one.step() == 0
        assert await one.step() == 0
    assert len(voices.fits) == 1
    assert [record.message for record in caplog.records] == ["voices not fitted"]


class Picky(FakeVoices):
    """One task's examples cannot be fitted at all; another's fit never ends."""

    async def fit(self, task: str, digest: str, lessons: Sequence[Lesson]) -> None:
        if task == "raises":
            raise OSError(28, "No space left on device")
        if task == "hangs":
            await asyncio.Event().wait()
        await super().fit(task, digest, lessons)


async def test_of_three_tasks_one_that_raises_and_one_that_hangs_hold_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks, voices = tuple(replace(TASK, name=name) for name in ("raises", "hangs", "ends")), Picky()
    one = VoiceFitter(tasks, FakeLessons(list(LESSONS)), voices, "fake", deadline=0.05)
    with caplog.at_level(logging.ERROR):
        assert await one.step() == 0
    assert [voices.fitted_on(task.name) is not None for task in tasks] == [False, False, True]
    told = [(record.__dict__["task"], record.__dict__["problem"]) for record in caplog.records]
    assert told == [("raises", "OSError"), ("hangs", "TimeoutError")]


async def test_a_database_that_is_away_is_nobodys_fit() -> None:
    class Away(FakeLessons):
        async def stamp(self, task: Task, embedder: str) -> str:
            raise Unreachable("database: down")

    with pytest.raises(Unreachable):
        await fitter(Away(list(LESSONS)), FakeVoices()).step()


async def test_of_very_many_examples_a_sample_is_fitted_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    many = [Lesson(str(n), f"text {n}", "billing" if n % 2 else "it", None) for n in range(MAX_LESSONS + 5)]
    voices = FakeVoices()
    with caplog.at_level(logging.WARNING):
        await fitter(FakeLessons(many), voices).step()
    assert [len(fit) for fit in voices.fits] == [MAX_LESSONS]
    assert [record.message for record in caplog.records] == ["voices fitted on a sample"]
