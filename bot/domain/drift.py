"""Whether what people write has changed since the weeks before: teams, words, and what no team is for.

Teams: population stability index (PSI; above 0.25 is the usual bound for a shift) and Pearson's chi-square test.
Out of scope: the share of decisions that found no team, two-sided two-proportion z-test.
Words: two-sample Kolmogorov-Smirnov tests on the main directions of the texts' vectors with Bonferroni's correction, as
Rabanser, Günnemann and Lipton ("Failing Loudly", NeurIPS 2019) found best for small samples; no statement where texts
are too few or have no vectors.

A test alone would call every difference a drift once there are enough messages, and a measure alone every accident
while there are few: an alarm needs both, and at least EVIDENCE conversations on either side.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from bot.domain.decisions import Reason
from bot.domain.outcomes import Outcome

EVIDENCE = 100
"""The fewest conversations on each side for any statement."""
LEVEL = 0.01
"""By chance each measure's test alarms in one week of a hundred, about once in two years."""
PSI, POINTS, DISTANCE = 0.25, 0.05, 0.20
"""The least change: of the index for teams, of the share for out of scope, of the distance for words."""
_DIRECTIONS = 8
_SPREAD = 0.5
"""Added to every count, so that a team without a message has a logarithm."""
_NO_TEAM = (Reason.STRANGE, Reason.UNREADABLE)


class Measure(StrEnum):
    """What may drift."""

    TEAMS = "teams"
    SCOPE = "out_of_scope"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Drift:
    """One measure, then and now."""

    measure: Measure
    much: float
    """The PSI, the difference of shares, or the distance."""
    chance: float
    """The p-value of its test."""
    alarm: bool


def drifts(before: Sequence[Outcome], now: Sequence[Outcome]) -> Mapping[Measure, Drift]:
    """Every measure for which there is enough evidence."""
    if min(len(before), len(now)) < EVIDENCE:
        return {}
    found = [_teams(before, now), _scope(before, now)]
    words = _words(before, now)
    return {one.measure: one for one in (*found, *([words] if words else []))}


def psi(before: Mapping[str, int], now: Mapping[str, int]) -> float:
    """Population stability index of two counts: the sum of (q - p) · ln(q / p)."""
    names = before.keys() | now.keys()
    parts = len(names) * _SPREAD
    old, new = sum(before.values()) + parts, sum(now.values()) + parts
    shares = [((before.get(n, 0) + _SPREAD) / old, (now.get(n, 0) + _SPREAD) / new) for n in names]
    return sum((q - p) * math.log(q / p) for p, q in shares)


def _teams(before: Sequence[Outcome], now: Sequence[Outcome]) -> Drift:
    old, new = Counter(one.ended for one in before), Counter(one.ended for one in now)
    names = sorted(old.keys() | new.keys())
    chance = 1.0
    if len(names) > 1:
        from scipy.stats.contingency import chi2_contingency  # most commands look at no drift, and start faster without

        chance = float(chi2_contingency([[old[n] for n in names], [new[n] for n in names]])[1])
    much = psi(old, new)
    return Drift(Measure.TEAMS, much, chance, much > PSI and chance < LEVEL)


def no_team(one: Outcome) -> bool:
    """Whether no known text was near it."""
    return one.first.reason in _NO_TEAM


def _scope(before: Sequence[Outcome], now: Sequence[Outcome]) -> Drift:
    old, new = sum(map(no_team, before)), sum(map(no_team, now))
    together = (old + new) / (len(before) + len(now))
    error = math.sqrt(together * (1 - together) * (1 / len(before) + 1 / len(now)))
    much = new / len(now) - old / len(before)
    chance = 1.0 if error == 0 else float(2 * NormalDist().cdf(-abs(much) / error))
    return Drift(Measure.SCOPE, much, chance, abs(much) > POINTS and chance < LEVEL)


def _words(before: Sequence[Outcome], now: Sequence[Outcome]) -> Drift | None:
    old, new = _vectors(before), _vectors(now)
    if min(len(old), len(new)) < EVIDENCE or old.shape[1] != new.shape[1]:
        return None
    from scipy.stats import ks_2samp  # as above

    centre = old.mean(axis=0)
    _, _, directions = np.linalg.svd(old - centre, full_matrices=False)
    axes = directions[:_DIRECTIONS].T
    tests = [ks_2samp(was, is_) for was, is_ in zip(((old - centre) @ axes).T, ((new - centre) @ axes).T, strict=True)]
    much = max(float(test.statistic) for test in tests)
    chance = min(1.0, min(float(test.pvalue) for test in tests) * len(tests))
    return Drift(Measure.WORDS, much, chance, much > DISTANCE and chance < LEVEL)


def _vectors(outcomes: Sequence[Outcome]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The vectors of the most frequent width: after a change of encoder there are two widths."""
    known = [one.vector for one in outcomes if one.vector is not None]
    widths = Counter(len(vector) for vector in known)
    if not widths:
        return np.zeros((0, 0))
    [(width, _)] = widths.most_common(1)
    return np.array([vector for vector in known if len(vector) == width], dtype=np.float64)
