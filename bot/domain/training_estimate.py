"""Estimates what a training will take: time, memory, and money where an hour has a price. Arithmetic alone.

The input was measured by a probe on this machine (`model_ports.TrainingProbe`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.learning import Example, keep_apart, rehearsed

_MINUTE, _HOUR = 60.0, 3600.0
_GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class Training:
    """One training of a learning cycle."""

    learned: int
    """Examples that it learns from."""
    kept_apart: int
    """Examples that every checkpoint is asked about."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast this machine trains this kind of base model on messages of this length."""

    device: str
    """As people call it: "CPU", or the name of the GPU."""
    begin_seconds: float
    """Seconds before the first step."""
    step_seconds: float
    ask_seconds: float
    """Seconds to ask a checkpoint about one message."""
    memory_bytes: int
    steps: Sequence[int]
    """The steps of each training that was asked about."""
    checkpoints: int
    """The number of checkpoints of each training."""


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """What a learning cycle's training will take, without the judging after it."""

    seconds: float
    memory_bytes: int
    device: str
    rehearsed: bool
    """Whether a rehearsal is included (`flow.steering`)."""
    price_per_hour: float

    @property
    def cost(self) -> float:
        return self.seconds / _HOUR * self.price_per_hour


def trainings(training_set: Sequence[Example]) -> list[Training]:
    """The trainings of a cycle: the adapter's, and its rehearsal's where too little is kept apart to steer by."""
    learned, kept_apart = keep_apart(training_set)
    real = Training(len(learned), len(kept_apart))
    if kept_apart:
        return [real]
    learned, asked = rehearsed(training_set)
    return [real, Training(len(learned), 0)] if asked else [real]


def estimated(pace: Pace, planned: Sequence[Training], price_per_hour: float) -> TrainingEstimate:
    """The estimate for all of a cycle's trainings, one after another; so their memory does not add up."""
    seconds = 0.0
    for training, steps in zip(planned, pace.steps, strict=True):
        asked = training.kept_apart * pace.checkpoints
        seconds += pace.begin_seconds + steps * pace.step_seconds + asked * pace.ask_seconds
    return TrainingEstimate(seconds, pace.memory_bytes, pace.device, len(planned) > 1, price_per_hour)


def in_words(estimate: TrainingEstimate) -> str:
    """The estimate in one sentence, for whoever starts the training."""
    rehearsal = ", rehearsal included" if estimate.rehearsed else ""
    memory = f"{estimate.memory_bytes / _GIGABYTE:.1f} GB of memory"
    cost = f", for about {estimate.cost:.2f}" if estimate.price_per_hour else ""
    return f"training takes about {duration(estimate.seconds)} on this {estimate.device}{rehearsal}, {memory}{cost}"


def duration(seconds: float) -> str:
    """The time in words, no finer than an estimate justifies."""
    if seconds < 1.5 * _MINUTE:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 1.5 * _HOUR:
        return f"{seconds / _MINUTE:.0f} minutes"
    return f"{seconds / _HOUR:.1f} hours"
