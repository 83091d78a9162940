"""The voices follow the examples, in seconds, and a fit that fails stops nothing."""

import logging

import pytest

from bot.domain.errors import TrainingFailed
from bot.domain.model_ports import Lesson
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


async def test_of_very_many_examples_a_sample_is_fitted_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    many = [Lesson(str(n), f"text {n}", "billing" if n % 2 else "it", None) for n in range(MAX_LESSONS + 5)]
    voices = FakeVoices()
    with caplog.at_level(logging.WARNING):
        await fitter(FakeLessons(many), voices).step()
    assert [len(fit) for fit in voices.fits] == [MAX_LESSONS]
    assert [record.message for record in caplog.records] == ["voices fitted on a sample"]
