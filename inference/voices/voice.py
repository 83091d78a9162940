"""The port behind which every voice beside the adapter stands: fitted on lessons, asked, stored as arrays and names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the voices are fitted on; keys, texts and labels have the same length."""

    digest: str
    embedder: str
    keys: tuple[str, ...]
    """Content hashes of the texts (`learning.text_key`)."""
    texts: tuple[str, ...]
    labels: tuple[str, ...]
    vectors: Floats
    """Rows of NaN where a text has no vector yet."""
    firm: frozenset[str] = frozenset()
    """Keys of lessons that are never taken for slips, whatever the voices say."""

    def only(self, rows: NDArray[np.intp]) -> "Lessons":
        """The lessons of these rows alone."""
        keys, texts, labels = (tuple(one[row] for row in rows) for one in (self.keys, self.texts, self.labels))
        return replace(self, keys=keys, texts=texts, labels=labels, vectors=self.vectors[rows])


@dataclass(frozen=True, slots=True)
class Questions:
    """The texts a fitted voice is asked about."""

    texts: Sequence[str]
    vectors: Floats
    """One row for each text, of NaN where it has no vector; no columns when there is no embedder."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A fitted voice as a file stores it: half-precision or exact arrays, and lists of names."""

    arrays: Mapping[str, Array] = field(default_factory=dict)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)


class FittedVoice(Protocol):
    """A voice that has learned. Equal inputs give equal answers in every process."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it can tell apart, in the order of its answers' columns."""

    def log_probabilities(self, questions: Questions) -> Floats:
        """Texts × labels: each row holds the logarithms of a distribution, or NaN where the voice has no answer."""

    def stored(self) -> Stored:
        """The arrays and names from which `Voice.restored` makes an equal voice."""


class Voice(Protocol):
    """A kind of voice: one file each, listed in `inference.voices`."""

    @property
    def name(self) -> str:
        """The voice's name in decisions. It never changes: weights are stored under it."""

    @property
    def usual(self) -> float:
        """Its weight where there is too little data to fit one."""

    def fit(self, lessons: Lessons) -> tuple[FittedVoice, Floats] | None:
        """(the fitted voice, what it says of each lesson without having learned from it); None: nothing to learn from.

        The second has a row for each lesson and a column for each label of the fitted voice: log-probabilities, or NaN.
        """

    def restored(self, stored: Stored) -> FittedVoice:
        """The voice that was stored. Raises ValueError or KeyError where the parts do not fit together."""


def of_vectors(vectors: Floats, width: int, labels: int, say: Callable[[Floats], Floats]) -> Floats:
    """The answers of `say` for the rows that have a vector of this width; NaN for the others."""
    rows = np.full((len(vectors), labels), np.nan, dtype=np.float32)
    there = heard_vectors(vectors) if vectors.shape[1] == width else np.empty(0, dtype=np.intp)
    if len(there):
        rows[there] = say(vectors[there])
    return rows


def of_rows(count: int, there: NDArray[np.intp], said: Floats) -> Floats:
    """What is said of the rows `there`, placed among `count` rows; NaN for the others."""
    rows = np.full((count, said.shape[1]), np.nan, dtype=np.float32)
    rows[there] = said
    return rows


def heard_vectors(vectors: Floats) -> NDArray[np.intp]:
    """The numbers of the rows that have a vector."""
    if not vectors.shape[1]:
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(~np.isnan(vectors).any(axis=1))
