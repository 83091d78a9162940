"""How corrections become a better model: examples, sides, the training set, the judge."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from bot.domain.decisions import calibrated


class Source(StrEnum):
    """Where an example comes from, most trusted first."""

    CORRECTION = "correction"
    CONFIRMATION = "confirmation"
    TAP = "tap"
    IMPORT = "import"
    SETTINGS = "settings"
    """A label's meaning and examples, as the settings have them now."""
    SEED = "seed"
    """What comes with the demo company."""


class Side(StrEnum):
    """What an example is for. Fixed for life, so that nothing ever leaks from held-out into training."""

    TRAIN = "train"
    HELD_OUT = "held-out"


HELD_OUT_SHARE = 0.20
VALIDATION_SHARE, LEAST_VALIDATION = 0.10, 40


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text with its provenance."""

    text: str
    label: str
    source: Source
    side: Side
    at: datetime
    conversation: int | None = None
    """The conversation it was said in; None when it came from a file."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A trained LoRA. Its name never changes meaning."""

    name: str
    task: str
    path: Path
    base: str
    codes: Mapping[str, str]
    """Label -> the one-token code it was trained to answer with."""
    temperature: float
    """Divides the logits so that probabilities mean what they say (fitted on validation data)."""
    made: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """One held-out example, as a whole system (model and memory) answered it."""

    text_key: str
    source: Source
    truth: str
    answer: str
    probabilities: Mapping[str, float]

    @property
    def right(self) -> bool:
        return self.answer == self.truth


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate serves, and every reason, in words for the leads."""

    promoted: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """Who was judged, against whom, and the verdict."""

    candidate: Adapter
    champion: Adapter | None
    """None: nothing served."""
    verdict: Verdict


class Phase(StrEnum):
    """Where a learning cycle is."""

    REQUESTED = "requested"
    TRAINING = "training"
    SCORING = "scoring"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One learning cycle, from request to verdict."""

    id: int
    task: str
    requested_by: str
    phase: Phase
    progress: float
    """0..1 within the phase."""
    adapter: str | None = None
    verdict: Verdict | None = None
    problem: str = ""
    """Why it failed; empty otherwise."""
    claim: str = ""
    """Of this claim alone: whoever claims the cycle later voids it. Empty: it was only read."""


Progress = Callable[[float, str], None]
"""Told how far the work is (0..1) and what it is doing now."""


def text_key(text: str) -> str:
    """Content hash: equal for texts that differ only in case, punctuation and white space."""
    words = re.findall(r"\w+", text.lower()) or [text.strip()]
    return hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()


def side_of(text: str) -> Side:
    """The side a text is on: decided by its content hash, hence stable for ever and on every machine."""
    drawn = int(text_key(text)[:8], 16) / 0xFFFFFFFF
    return Side.HELD_OUT if drawn < HELD_OUT_SHARE else Side.TRAIN


def keep_apart(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """(to learn from, to steer by: when to stop, the temperature), both in the order of their content hash.

    The slice follows from other digits of the content hash than the side does, so it is the same on every machine.
    Fewer than LEAST_VALIDATION would be noise: then everything is learned from and nothing steers.
    """
    ordered = sorted(examples, key=lambda e: text_key(e.text))
    apart = [e for e in ordered if int(text_key(e.text)[8:16], 16) / 0xFFFFFFFF < VALIDATION_SHARE]
    if len(apart) < LEAST_VALIDATION:
        return ordered, []
    steering = {text_key(e.text) for e in apart}
    return [e for e in ordered if text_key(e.text) not in steering], apart


def settle(examples: Sequence[Example]) -> list[Example]:
    """One example a text: the most trusted source wins, then the latest. Order of the input does not matter."""
    rank = {source: position for position, source in enumerate(Source)}
    best: dict[str, Example] = {}
    for example in sorted(examples, key=lambda e: (-rank[e.source], e.at)):
        best[text_key(example.text)] = example
    return list(best.values())


def replayed(examples: Sequence[Example], limit: int) -> list[Example]:
    """The training set: every correction and confirmation, and as much of the rest as fits in `limit`, class by class.

    Replay keeps the old teams: without it a LoRA trained on corrections alone forgets them (measured: .968 -> .22).
    """
    fresh = [e for e in examples if e.source in (Source.CORRECTION, Source.CONFIRMATION, Source.TAP)]
    rest = sorted((e for e in examples if e not in fresh), key=lambda e: text_key(e.text))
    by_label: dict[str, list[Example]] = {}
    for example in rest:
        by_label.setdefault(example.label, []).append(example)
    room = max(0, limit - len(fresh))
    taken: list[Example] = []
    for turn in range(max((len(rows) for rows in by_label.values()), default=0)):
        taken += [rows[turn] for rows in by_label.values() if turn < len(rows)]
    return fresh + taken[:room]


def fit_temperature(scores: Sequence[tuple[Mapping[str, float], str]]) -> float:
    """The temperature with the least negative log-likelihood of the truth, by golden-section search in [0.25, 8].

    Each score is (raw probabilities, true label). 1.0 when there is nothing to fit on.
    """
    if not scores:
        return 1.0

    def loss(log_temperature: float) -> float:
        temperature = math.exp(log_temperature)
        return -sum(math.log(max(calibrated(p, temperature).get(truth, 0.0), 1e-12)) for p, truth in scores)

    low, high, ratio = math.log(0.25), math.log(8.0), (math.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return math.exp((low + high) / 2)


def label_counts(examples: Sequence[Example]) -> Counter[str]:
    """Examples per label."""
    return Counter(example.label for example in examples)
