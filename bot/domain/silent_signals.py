"""What people show without saying it: a team answers and closes a request, somebody who is no lead hands it on.

Weak, and kept apart: no memory, no voice and no judge ever hears of it. It reaches a training alone, under whatever
else is known of a text, and for each team at most a set share of what people and files said.
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
"""The newest so many are read: more than that no training would take."""


class SignalKind(StrEnum):
    """What somebody's act says of the team."""

    CONFIRMATION = "confirmation"
    """Its team took, answered and closed it, and nobody said that it was wrong."""
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
    """Read off what happened, never stored: a request that is opened again, or that a lead rules on, shows no more."""

    async def signals(self, task: Task, limit: int = MOST) -> Sequence[Signal]:
        """The newest, of labels that the task has; none of a text that was erased."""


def weighed(signals: Sequence[Signal], examples: Sequence[Example], share: float) -> list[Example]:
    """What a training may learn of them: texts of which nobody has said anything, on the side that is learned from, and
    for each label at most this share of its other examples. Corrections first, then the newest."""
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
    """How many there are of each kind, those without any too."""
    found = Counter(signal.kind for signal in signals)
    return {kind: found[kind] for kind in SignalKind}
