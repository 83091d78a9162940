"""The voice of the neighbours: the labels of the nearest settled texts by vector, each weighted by its nearness."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from bot.domain.embedders import Likeness, Rows, known_of
from bot.domain.mixture import NEIGHBOURS, USUAL
from inference.voices.linear import fit_temperature
from inference.voices.voice import (
    Array,
    FittedVoice,
    Floats,
    Lessons,
    Questions,
    Stored,
    Voice,
    heard_vectors,
    of_rows,
    of_vectors,
)

_NEAREST = 30
_SHARPNESS = 0.05
"""Temperature of the weights exp((s - s_max) / 0.05), as in the memory (`bot.domain.memory_vote`)."""
_DOUBT = 0.02
"""The share spread evenly over all labels: thirty neighbours without a label do not prove the label impossible."""
_AT_ONCE = 512
"""Rows compared in one product: bounds the memory, however many lessons there are."""


@dataclass(frozen=True, slots=True)
class NeighboursModel:
    """See `voice.FittedVoice`."""

    labels: tuple[str, ...]
    vectors: Floats
    places: NDArray[np.int32]
    """For each vector, its label's position among the labels."""
    temperature: float
    embedder: str
    """The embedder of the vectors, which determines how two of them are compared."""
    _lacking: Rows = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lacking", known_of(self.embedder).likeness.lacking(self.vectors))

    def log_probabilities(self, questions: Questions) -> Floats:
        """See `voice.FittedVoice`."""
        return of_vectors(questions.vectors, self.vectors.shape[1], len(self.labels), self._say)

    def stored(self) -> Stored:
        """See `voice.FittedVoice`."""
        temperature = np.asarray(self.temperature, dtype=np.float32)
        vectors = self.vectors.astype(np.float16)
        arrays: dict[str, Array] = {"vectors": vectors, "places": self.places, "temperature": temperature}
        return Stored(arrays, {"labels": self.labels, "embedder": (self.embedder,)})

    def _say(self, asked: Floats) -> Floats:
        alike = known_of(self.embedder).likeness
        votes = _votes(alike, asked, _Known(self.vectors, self._lacking, self.places), len(self.labels))
        return _cooled(votes, self.temperature)


@dataclass(frozen=True, slots=True)
class NeighboursVoice:
    """See `voice.Voice`. It fits only a temperature: its knowledge is the texts themselves."""

    name: str = NEIGHBOURS
    usual: float = USUAL[NEIGHBOURS]

    def fit(self, lessons: Lessons) -> tuple[FittedVoice, Floats] | None:
        """See `voice.Voice`. For the unseen answers each lesson is left out of its own neighbours."""
        there = heard_vectors(lessons.vectors)
        labels = [lessons.labels[row] for row in there]
        names = tuple(sorted(set(labels)))
        if len(names) < 2:
            return None
        places = np.searchsorted(names, labels).astype(np.int32)
        vectors = lessons.vectors[there].astype(np.float16).astype(np.float32)
        alike = known_of(lessons.embedder).likeness
        known = _Known(vectors, alike.lacking(vectors), places)
        votes = _votes(alike, vectors, known, len(names), itself=False)
        temperature = fit_temperature(votes, places.astype(np.intp))
        unseen = of_rows(len(lessons.labels), there, _cooled(votes, temperature))
        return NeighboursModel(names, vectors, places, temperature, lessons.embedder), unseen

    def restored(self, stored: Stored) -> FittedVoice:
        """See `voice.Voice`."""
        labels, vectors = tuple(stored.names["labels"]), np.asarray(stored.arrays["vectors"], dtype=np.float32)
        places = np.asarray(stored.arrays["places"], dtype=np.int32)
        if vectors.ndim != 2 or len(vectors) != len(places) or not 0 <= places.min() <= places.max() < len(labels):
            raise ValueError("its labels and its vectors do not match")
        [embedder] = stored.names["embedder"]
        return NeighboursModel(labels, vectors, places, float(stored.arrays["temperature"]), embedder)


@dataclass(frozen=True, slots=True)
class _Known:
    """The settled texts: their vectors, which of these lack the first part, and each one's position among the
    labels."""

    vectors: Floats
    lacking: Rows
    places: NDArray[np.int32]


def _votes(alike: Likeness, asked: Floats, known: _Known, labels: int, itself: bool = True) -> Floats:
    """Logarithms of the labels' shares among each row's nearest; without `itself` row n does not count known row n."""
    votes = np.empty((len(asked), labels), dtype=np.float32)
    count = min(_NEAREST, len(known.vectors) - (not itself))
    for start in range(0, len(asked), _AT_ONCE):
        near = alike.similarities(asked[start : start + _AT_ONCE], known.vectors, known.lacking)
        if not itself:
            near[np.arange(len(near)), start + np.arange(len(near))] = -np.inf
        nearest = np.argpartition(-near, count - 1, axis=1)[:, :count]
        weights = np.take_along_axis(near, nearest, axis=1)
        weights = np.exp((weights - weights.max(axis=1, keepdims=True)) / _SHARPNESS)
        shares = np.zeros((len(near), labels), dtype=np.float32)
        np.add.at(shares, (np.arange(len(near))[:, None], known.places[nearest]), weights)
        shares /= weights.sum(axis=1, keepdims=True)
        votes[start : start + _AT_ONCE] = np.log((1 - _DOUBT) * shares + _DOUBT / labels)
    return votes


def _cooled(votes: Floats, temperature: float) -> Floats:
    return np.asarray(log_softmax(votes / temperature, axis=1), dtype=np.float32)


_: type[Voice] = NeighboursVoice
