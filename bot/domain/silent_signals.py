"""What people show without saying it: a team answers and closes a request, somebody who is no lead hands it on.

Weak, and kept apart: no memory, voice or judge ever uses it. It reaches the training alone, below anything else that is
known about a text, and for each team up to a set share of what people and files said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.learning import Example, Side, Source, side_of, text_key
from bot.domain.tasks import Task

MOST = 20_000
"""The most signals that are read, the newest: no training would take more."""


class SignalKind(StrEnum):
    """What somebody's act says about the team."""

    CONFIRMATION = "confirmation"
    """The team took, answered and closed it, and nobody said that it was wrong."""
    CORRECTION = "correction"
    """Somebody who is no lead put another team's emoji on its card, and no lead has spoken."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A request, and the team that somebody's act speaks for."""

    kind: SignalKind
    conversation: int
    label: str
    text: str
    at: datetime


class SilentSignals(Protocol):
    """Derived from what happened, never stored: a request that is reopened, or that a lead rules on, gives none."""

    async def signals(self, task: Task, limit: int = MOST) -> Sequence[Signal]:
        """The newest signals for labels of the task; none for an erased text."""


def weighed(signals: Sequence[Signal], examples: Sequence[Example], share: float) -> list[Example]:
    """The examples for a training: texts without any other statement, on the side that is learned from, and for each
    label at most this share of its other examples. Corrections first, then the newest."""
    known = {text_key(example.text) for example in examples}
    room = Counter(example.label for example in examples if example.side is Side.TRAIN)
    taken: Counter[str] = Counter()
    chosen: dict[str, Example] = {}
    for signal in sorted(signals, key=lambda one: (one.kind is SignalKind.CORRECTION, one.at), reverse=True):
        key = text_key(signal.text)
        if key in known or key in chosen or side_of(signal.text) is not Side.TRAIN:
            continue
        if taken[signal.label] + 1 > share * room[signal.label]:
            continue
        taken[signal.label] += 1
        chosen[key] = Example(signal.text, signal.label, Source.SIGNAL, Side.TRAIN, signal.at, signal.conversation)
    return list(chosen.values())


def counts(signals: Sequence[Signal]) -> Mapping[SignalKind, int]:
    """Kind -> how many there are, also 0."""
    found = Counter(signal.kind for signal in signals)
    return {kind: found[kind] for kind in SignalKind}
