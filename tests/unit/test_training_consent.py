"""Long work is confirmed first; if its duration is unknown, it is not stopped."""

import io
import sys
from dataclasses import replace

import pytest

from bot.commands.training_consent import may_train
from bot.domain.errors import TrainingFailed, UsageError
from bot.domain.tasks import Learning, Task
from bot.domain.training_estimate import TrainingEstimate
from tests.samples import TASK

HOUR = 3600.0
ASKED = replace(TASK, learning=Learning(ask_above_minutes=90.0))


class Typed(io.StringIO):
    """A terminal at which this was typed."""

    def isatty(self) -> bool:
        return True


def takes(hours: float) -> TrainingEstimate:
    return TrainingEstimate(hours * HOUR, 10**9, "CPU", False, 0.0)


async def agrees(estimate: TrainingEstimate, yes: bool = False) -> bool:
    async def estimator(task: Task) -> TrainingEstimate:
        assert task is ASKED
        return estimate

    return await may_train(estimator, ASKED, yes)


async def test_what_is_short_is_said_and_not_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert await agrees(takes(1.5))
    said = capsys.readouterr()
    assert "about 1.5 hours on this CPU, 1.0 GB of memory" in " ".join(said.err.split())
    assert said.out == ""


async def test_what_is_long_wants_yes_where_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(UsageError, match=r"more than the 90 minutes of tasks\.routing\.learning\.ask.*add --yes"):
        await agrees(takes(1.6))
    assert await agrees(takes(1.6), yes=True)


@pytest.mark.parametrize(("typed", "trains"), [("y\n", True), ("n\n", False), ("\n", False), ("", False)])
async def test_what_is_long_is_asked_at_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str, trains: bool) -> None:
    monkeypatch.setattr(sys, "stdin", Typed(typed))
    assert await agrees(takes(3)) is trains


async def test_without_an_estimate_it_trains_unless_somebody_at_a_terminal_says_no(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(task: Task) -> TrainingEstimate:
        raise TrainingFailed("the probe ended with 1: it said nothing")

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert await may_train(failing, ASKED, yes=False)
    assert "cannot be told: the probe ended with 1" in " ".join(capsys.readouterr().err.split())
    assert await may_train(None, ASKED, yes=False)
    for typed, trains in (("y\n", True), ("n\n", False)):
        monkeypatch.setattr(sys, "stdin", Typed(typed))
        assert await may_train(failing, ASKED, yes=False) is trains
        assert await may_train(failing, ASKED, yes=True)


async def test_what_would_train_nothing_is_refused_at_once() -> None:
    async def hungry(task: Task) -> TrainingEstimate:
        raise UsageError("nothing to learn from: billing has fewer than 2 examples")

    with pytest.raises(UsageError, match="nothing to learn from"):
        await may_train(hungry, ASKED, yes=True)
