"""The weight of each voice: non-negative weights on log-probabilities that make the truth most likely."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from inference.voices.voice import Floats

_ROWS_OF_TRUST = 50.0
"""How many measured rows the usual weights are worth: with ten rows the weights hardly move."""
_ROWS_OF_TRUST_IN_ALL = 3.0
"""The same for the common factor of all weights: a single number, which a few dozen rows determine."""

_UNKNOWN = 0.2
"""The starting weight of a voice that was never measured."""


def fit_weights(said: Mapping[str, Floats], truth: Sequence[int], usual: Mapping[str, float]) -> dict[str, float]:
    """Voice -> weight, from what each said of rows that it had not learned from (rows × labels, log-probabilities).

    Minimises the pool's negative log-likelihood, with a quadratic penalty that pulls towards the usual weights. Then
    all are multiplied by one factor, the pool's own temperature, which is pulled less. Without rows: the usual weights.
    """
    voices = sorted(said)
    start = np.array([usual.get(voice, _UNKNOWN) for voice in voices])
    if not len(truth):
        return dict(zip(voices, start.tolist(), strict=True))
    rows, stacked = np.arange(len(truth)), np.stack([said[voice] for voice in voices])

    def loss(weights: Floats) -> float:
        likely = log_softmax(np.tensordot(weights, stacked, axes=1), axis=1)[rows, np.asarray(truth)]
        pull = _ROWS_OF_TRUST / len(truth) * float(np.sum((weights - start) ** 2))
        return -float(likely.mean()) + pull

    found = minimize(loss, start, method="L-BFGS-B", bounds=[(0.0, 4.0)] * len(voices))  # type: ignore[no-untyped-call]
    pool = np.tensordot(found.x, stacked, axes=1)

    def blur(logarithm: float) -> float:
        likely = log_softmax(np.exp(logarithm) * pool, axis=1)[rows, np.asarray(truth)]
        return -float(likely.mean()) + _ROWS_OF_TRUST_IN_ALL / len(truth) * logarithm**2

    sure = float(np.exp(minimize_scalar(blur, bounds=(-1.5, 1.5), method="bounded").x))  # type: ignore[no-untyped-call]
    return {voice: round(float(weight) * sure, 4) for voice, weight in zip(voices, found.x, strict=True)}
