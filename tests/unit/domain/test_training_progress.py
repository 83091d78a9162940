"""Which of a task's learning cycles is shown."""

import pytest

from bot.domain.learning import Cycle, Phase
from bot.domain.training_progress import at_work


def cycles(*phases: Phase) -> list[Cycle]:
    """One of each phase, the newest first."""
    return [Cycle(len(phases) - n, "routing", "schedule", phase, 0.0) for n, phase in enumerate(phases)]


@pytest.mark.parametrize(
    ("phases", "shown"),
    [
        ((), None),
        ((Phase.REQUESTED, Phase.TRAINING, Phase.DONE), 2),
        ((Phase.REQUESTED, Phase.FAILED, Phase.SCORING), 1),
        ((Phase.REQUESTED, Phase.DONE), 2),
        ((Phase.FAILED, Phase.DONE), 2),
    ],
)
def test_the_one_at_work_is_shown_though_others_wait_behind_it(phases: tuple[Phase, ...], shown: int | None) -> None:
    found = at_work(cycles(*phases))
    assert (found and found.id) == shown
