"""The duration of a training is known before it begins: shown by a command, and in the log of a scheduled cycle."""

import logging
from dataclasses import replace

import pytest

from bot.domain.errors import TrainingFailed, UsageError
from bot.domain.learning import Phase
from bot.flow.estimate import TrainingEstimator
from tests.fakes import FakeProbe
from tests.samples import NOW, TASK
from tests.unit.flow.test_learn import School


def estimator(school: School, probe: FakeProbe) -> TrainingEstimator:
    return TrainingEstimator(probe, school.classifier, school.examples, school.learner.base_path)


async def test_the_rehearsal_is_in_it_and_the_price_is_the_tasks() -> None:
    """A hundred and twenty texts to learn from: none are set aside, two thirds are rehearsed with, or too few."""
    school, probe = School(), FakeProbe()
    priced = replace(TASK, learning=replace(TASK.learning, price_per_hour=3.0))
    school.examples.kept = [replace(e, text=f"{e.text} {n}") for e in school.examples.kept for n in range(3)]
    estimate = await estimator(school, probe)(priced)
    assert estimate.rehearsed
    assert len(probe.learned) == 2
    assert probe.learned[1] < probe.learned[0]
    assert estimate.cost == pytest.approx(estimate.seconds / 3600 * 3.0)


async def test_nothing_is_estimated_of_what_will_not_be_trained() -> None:
    school, probe = School(), FakeProbe()
    school.examples.kept = []
    with pytest.raises(
        UsageError, match="nothing to learn from: fewer than 2 examples of billing, delivery, it, triage"
    ):
        await estimator(school, probe)(TASK)
    assert probe.learned == []


@pytest.mark.parametrize(("asked_by", "logged"), [("schedule", True), ("command", False)])
async def test_a_cycle_that_nobody_watches_logs_it(
    caplog: pytest.LogCaptureFixture, asked_by: str, logged: bool
) -> None:
    school = School()
    learner = replace(school.learner, estimator=estimator(school, FakeProbe()))
    await school.registry.request_cycle("routing", asked_by, "a key", NOW)
    with caplog.at_level(logging.INFO):
        await learner.step()
    said = [record.__dict__ for record in caplog.records if record.getMessage() == "training estimated"]
    assert bool(said) is logged
    if logged:
        assert said[0]["seconds"] > 60
        assert said[0]["memory_bytes"] == 10**9


async def test_a_probe_that_fails_stops_no_cycle(caplog: pytest.LogCaptureFixture) -> None:
    school, probe = School(), FakeProbe()
    probe.failure = TrainingFailed("the probe ended with 1: it said nothing")
    await school.registry.request_cycle("routing", "schedule", "a key", NOW)
    await replace(school.learner, estimator=estimator(school, probe)).step()
    assert "training not estimated" in caplog.messages
    assert school.registry.known[-1].phase is Phase.DONE
