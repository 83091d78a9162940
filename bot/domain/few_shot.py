"""Which known examples a prompt shows: always the same ones, or those nearest to the message. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bot.domain.embedders import Likeness, Vectors
from bot.domain.learning import Example, Source, settle, side_key, text_key
from bot.domain.tasks import Task

SHOTS = (0, 3, 8, 20)
"""How many examples are shown, unless the settings or a flag say otherwise."""
MOST_SHOTS = 100
_WIDE = 600
"""The most characters of an example: a long mail would push the others out of the prompt."""
_AT_ONCE = 256
"""Messages that are compared with every example in one product."""

Shown = tuple[str, str]
"""A text and its label."""


class Choice(StrEnum):
    """How the examples of a prompt are chosen."""

    FIXED = "fixed"
    """The same ones in every prompt, label by label."""
    RETRIEVED = "retrieved"
    """The ones whose vectors are nearest to the message's, the nearest last."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to prompt a model."""

    shots: int
    choice: Choice = Choice.FIXED
    """Without meaning for zero-shot."""

    def of(self, model: str) -> str:
        """The name of the arm."""
        return f"{model} {self.shots} {self.choice}" if self.shots else f"{model} zero-shot"


@dataclass(frozen=True, slots=True)
class ShownExamples:
    """The examples for every prompt, chosen before anything is asked."""

    fixed: Sequence[Shown]
    nearest: Mapping[str, Sequence[Shown]]
    """Content hash of the message -> its examples, the nearest last."""

    def of(self, way: Variant, key: str) -> Sequence[Shown]:
        """The examples that this prompt shows with this message."""
        if way.shots == 0:
            return ()
        return self.fixed[: way.shots] if way.choice is Choice.FIXED else self.nearest[key][-way.shots :]


def variants(shots: Sequence[int], choices: Sequence[Choice]) -> list[Variant]:
    """Every way, the fewest examples first; zero-shot once."""
    zero = [Variant(0)] if 0 in shots else []
    return zero + [Variant(count, choice) for count in sorted({n for n in shots if n > 0}) for choice in choices]


def teachable(training: Sequence[Example], task: Task) -> list[Example]:
    """The examples that may be shown, each text once, in a fixed order.

    The settings' description of a label is none of them: every prompt has it anyway.
    """
    means = {(text_key(label.means), label.name) for label in task.labels}
    said = [e for e in training if e.source is not Source.SETTINGS or (text_key(e.text), e.label) not in means]
    return sorted(settle(said), key=lambda e: (side_key(e.text), text_key(e.text)))


def fixed(pool: Sequence[Example], count: int) -> list[Shown]:
    """So many examples of the pool, one of each label in turn."""
    rows: dict[str, list[Example]] = {}
    for example in pool:
        rows.setdefault(example.label, []).append(example)
    turns = range(max((len(row) for row in rows.values()), default=0))
    return [shown(rows[label][turn]) for turn in turns for label in sorted(rows) if turn < len(rows[label])][:count]


def retrieved(
    pool: Sequence[Example], known: Vectors, asked: Vectors, likeness: Likeness, count: int
) -> list[list[Shown]]:
    """For each message so many of the pool, the nearest last: what is next to the message weighs most."""
    found: list[list[Shown]] = []
    for start in range(0, len(asked), _AT_ONCE):
        near = likeness.similarities(asked[start : start + _AT_ONCE], known)
        best = np.argsort(-near, axis=1, kind="stable")[:, :count]
        found += [[shown(pool[place]) for place in reversed(row)] for row in best.tolist()]
    return found


def shown(example: Example) -> Shown:
    """An example as a prompt shows it: a long text is cut to its head and its tail."""
    text = example.text
    half = _WIDE // 2
    return (text if len(text) <= _WIDE else f"{text[:half]} … {text[-half:]}"), example.label
