"""Figures of scores: the share that is right, macro F1, calibration error, coverage."""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bot.domain.learning import Score

_RESAMPLES = 400


def accuracy(scores: Sequence[Score]) -> float:
    """Share of right answers; 0 for no scores."""
    return sum(score.right for score in scores) / len(scores) if scores else 0.0


def macro_f1(scores: Sequence[Score]) -> float:
    """Mean over the labels that occur as truth of the harmonic mean of precision and recall."""
    values = []
    for label in sorted({score.truth for score in scores}):
        hit = sum(s.truth == label == s.answer for s in scores)
        claimed = sum(s.answer == label for s in scores)
        actual = sum(s.truth == label for s in scores)
        values.append(2 * hit / (claimed + actual))
    return sum(values) / len(values) if values else 0.0


def ece(scores: Sequence[Score], bins: int = 15) -> float:
    """Expected calibration error, equal-width bins over the answer's probability (Guo et al. 2017)."""
    once = np.ones((1, len(scores)), dtype=np.int64)
    return float(_resampled_ece(scores, once, bins)[0]) if scores else 0.0


def ece_by_chance(scores: Sequence[Score], bins: int = 15) -> float:
    """What `ece` stays below in 19 of 20 cases if every probability is true; with few messages that is a lot.

    A bin's gap is then a sum of independent errors of variance p (1 - p), close to normal: its absolute value has the
    mean sqrt(2 v / pi) and the variance v (1 - 2 / pi). (Bröcker and Smith 2007, "Increasing the reliability of
    reliability diagrams", draw such sums; this adds them up.)
    """
    variances = [sum(c * (1 - c) for c, _ in row) for row in _binned(scores, bins)]
    mean = sum(math.sqrt(2 * v / math.pi) for v in variances)
    spread = math.sqrt(sum(v * (1 - 2 / math.pi) for v in variances))
    return (mean + NormalDist().inv_cdf(0.95) * spread) / len(scores) if scores else 0.0


def ece_apart_by_chance(first: Sequence[Score], second: Sequence[Score], bins: int = 15) -> float:
    """By how much the `ece` of the second exceeds that of the first in one of 20 cases, though they are equal.

    Both are scores of the same messages in the same order. From the paired bootstrap's standard error (Efron and
    Tibshirani 1993, "An Introduction to the Bootstrap"), always with the same draws.
    """
    n = len(first)
    if n < 2:
        return 0.0
    drawn = np.random.default_rng(0).multinomial(n, [1 / n] * n, size=_RESAMPLES)
    apart = _resampled_ece(second, drawn, bins) - _resampled_ece(first, drawn, bins)
    return NormalDist().inv_cdf(0.95) * float(apart.std(ddof=1))


def _resampled_ece(scores: Sequence[Score], drawn: npt.NDArray[np.int64], bins: int) -> npt.NDArray[np.float64]:
    """The `ece` of each resample; `drawn`: resamples × messages, how often each was drawn."""
    sure = np.array([score.probabilities.get(score.answer, 0.0) for score in scores])
    gap = sure - np.array([score.right for score in scores])
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = sum(np.abs(drawn[:, place == one] @ gap[place == one]) for one in range(bins))
    return np.asarray(gaps / len(scores), dtype=np.float64)


def _binned(scores: Sequence[Score], bins: int) -> Collection[Sequence[tuple[float, bool]]]:
    """(the answer's probability, whether it was right) of each message, in bins of equal width of the probability."""
    rows: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for score in scores:
        confidence = score.probabilities.get(score.answer, 0.0)
        rows[min(int(confidence * bins), bins - 1)].append((confidence, score.right))
    return rows.values()


def coverage_at(scores: Sequence[Score], wanted: float = 0.95) -> float:
    """The largest share of messages that can be answered, surest first, with at least `wanted` of them right."""
    ordered = sorted(scores, key=lambda s: -s.probabilities.get(s.answer, 0.0))
    covered, right = 0, 0
    for position, score in enumerate(ordered, start=1):
        right += score.right
        if right / position >= wanted:
            covered = position
    return covered / len(scores) if scores else 0.0
