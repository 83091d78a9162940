"""A linear classifier: a row of weights for each label, and the temperature that turns its margins into
probabilities."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

from inference.voices.voice import Array, Floats, Stored

Features = TypeVar("Features", csr_matrix, Floats)


class Estimator(Protocol):
    """A linear classifier of scikit-learn."""

    coef_: Floats
    intercept_: Floats

    def fit(self, X: csr_matrix | Floats, y: NDArray[np.str_]) -> object: ...  # noqa: N803  scikit-learn's names


FOLDS = 3
_ABSENT = -2.0
"""The margin of a label that a fold has not seen: below what a linear SVM gives to labels it rejects."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Margins = features @ weights.T + offsets; probabilities = softmax(margins / temperature)."""

    labels: tuple[str, ...]
    weights: Floats
    """labels × features."""
    offsets: Floats
    temperature: float

    def __post_init__(self) -> None:
        # In the memory order of the product, which would otherwise copy all of them for every question
        object.__setattr__(self, "weights", np.asfortranarray(self.weights))

    def log_probabilities(self, features: csr_matrix | Floats) -> Floats:
        """Rows × labels, each row the logarithms of a distribution."""
        margins = np.asarray(features @ self.weights.T) + self.offsets
        return np.asarray(log_softmax(margins / self.temperature, axis=1), dtype=np.float32)

    def stored(self) -> Stored:
        """Its arrays and names; the weights in half precision, which changes no answer."""
        temperature = np.asarray(self.temperature, dtype=np.float32)
        weights = self.weights.astype(np.float16)
        arrays: dict[str, Array] = {"weights": weights, "offsets": self.offsets, "temperature": temperature}
        return Stored(arrays, {"labels": self.labels})

    @classmethod
    def restored(cls, stored: Stored) -> "Linear":
        """The classifier that was stored. Raises ValueError or KeyError where the parts do not fit together."""
        weights, offsets = (np.asarray(stored.arrays[name], dtype=np.float32) for name in ("weights", "offsets"))
        labels = tuple(stored.names["labels"])
        if weights.ndim != 2 or not len(weights) == len(offsets) == len(labels):
            raise ValueError("its labels and its weights do not match")
        return cls(labels, weights, offsets, float(stored.arrays["temperature"]))


def fit(make: Callable[[], Estimator], features: Features, labels: Sequence[str]) -> tuple[Linear, Floats]:
    """(the classifier, what it says of each row without having learned from it), the latter as log-probabilities.

    The temperature is fitted on the rows that a fold left out (temperature scaling, Guo et al. 2017, on out-of-fold
    margins), so that no row judges a model that has seen it. Needs at least two labels.
    """
    truth = np.asarray(labels)
    names = tuple(sorted(set(labels)))
    weights, offsets = _fitted(make(), features, truth, names)
    unseen = np.full((len(labels), len(names)), _ABSENT, dtype=np.float32)
    for learned, asked in _folds(truth):
        if not len(learned) or not len(asked):
            continue
        part, shift = _fitted(make(), features[learned], truth[learned], names)
        unseen[asked] = np.asarray(features[asked] @ part.T) + shift
    temperature = fit_temperature(unseen, np.searchsorted(names, truth))
    said = np.asarray(log_softmax(unseen / temperature, axis=1), dtype=np.float32)
    return Linear(names, weights, offsets, temperature), said


def _fitted(
    model: Estimator, features: csr_matrix | Floats, truth: NDArray[np.str_], names: Sequence[str]
) -> tuple[Floats, Floats]:
    """Weights and offsets, a row for each of the names; a label that does not occur gets the values of an absent
    one."""
    present = sorted(set(truth))
    weights = np.zeros((len(names), features.shape[1]), dtype=np.float32)
    offsets = np.full(len(names), _ABSENT, dtype=np.float32)
    rows = np.searchsorted(names, present)
    if len(present) < 2:
        offsets[rows] = 0.0
        return weights, offsets
    with warnings.catch_warnings():
        # Stopping a little before the optimum is no worse; and one example for a label is little, but no mistake
        warnings.simplefilter("ignore", UserWarning)
        model.fit(features, truth)
    coefficients, shift = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(present) == 2:  # scikit-learn keeps one row for two labels: the second label's
        coefficients, shift = np.vstack([-coefficients, coefficients]), np.hstack([-shift, shift])
    weights[rows], offsets[rows] = coefficients, shift
    return weights, offsets


def _folds(truth: NDArray[np.str_]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Deal out each label's rows in turn, so that each fold has its share of every label; the same in every process."""
    fold = np.zeros(len(truth), dtype=np.intp)
    for turn, name in enumerate(sorted(set(truth))):
        rows = np.flatnonzero(truth == name)
        fold[rows] = (np.arange(len(rows)) + turn) % FOLDS
    for left_out in range(FOLDS):
        yield np.flatnonzero(fold != left_out), np.flatnonzero(fold == left_out)


def fit_temperature(margins: Floats, truth: NDArray[np.intp]) -> float:
    """The divisor of the margins under which the truth is likeliest, fitted on rows that were not learned from."""
    rows = np.arange(len(truth))

    def loss(logarithm: float) -> float:
        return -float(log_softmax(margins / np.exp(logarithm), axis=1)[rows, truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.02), np.log(8.0)), method="bounded").x))  # type: ignore[no-untyped-call]
