"""How accuracy grows with examples: draws of so many a team, points with intervals, and where arms cross."""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
import numpy.typing as npt

from bot.domain.model_ports import Lesson

SIZES = (5, 10, 25, 50, 100)
"""Examples a team, before all there are."""
DRAWS = 5
"""Subsets of each size: which examples a team happens to have makes more difference than anything else, when few."""
REPLICATES, _SEED = 2_000, 23
_ENDS = (2.5, 97.5)

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class Draw:
    """One subset of the examples to fit on."""

    size: int
    """Examples a team; 0: all there are."""
    number: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What arms fitted on one draw answered."""

    draw: Draw
    examples: int
    """In total: a team that has fewer than the draw's size brings what it has."""
    right: Mapping[str, Sequence[bool]]
    """Arm -> of each message, in order."""


@dataclass(frozen=True, slots=True)
class Point:
    """An arm at one size."""

    size: int
    """As in `Draw`."""
    examples: float
    """Mean of the draws."""
    accuracy: float
    low: float
    high: float
    """The 95 % interval's ends, over draws and messages."""
    draws: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """One arm is proven better with few examples, the other with more."""

    few: str
    many: str
    at: float
    """Examples a team where their lines cross, on a logarithmic scale."""
    proven_below: int
    """The largest size at which `few` is still proven better before they cross."""
    proven_above: int
    """The smallest at which `many` is; 0: with all."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Every arm's points, and what follows from them."""

    messages: int
    teams: int
    points: Mapping[str, Sequence[Point]]
    """By size, all examples last. An arm that learns nothing here has the same at each."""
    crossings: Sequence[Crossing]
    replicates: Mapping[str, Sequence[Numbers]] = field(default_factory=dict, repr=False, compare=False)
    """Of each point, the accuracy in every replicate; the same draws and messages for all arms."""


def planned(counts: Mapping[str, int], draws: int = DRAWS) -> list[Draw]:
    """What to fit, cheapest first. A size that no team exceeds would be the same as all."""
    most = max(counts.values(), default=0)
    sizes = [size for size in SIZES if size < most]
    return [Draw(size, number) for size in sizes for number in range(draws)] + [Draw(0, 0)]


def drawn(lessons: Sequence[Lesson], draw: Draw) -> list[Lesson]:
    """The lessons of a draw, the same on every machine. A draw of more holds the one of fewer with the same number."""
    if not draw.size:
        return list(lessons)
    by_label: dict[str, list[Lesson]] = {}
    for lesson in sorted(lessons, key=lambda one: one.key):
        by_label.setdefault(lesson.label, []).append(lesson)
    chosen: list[Lesson] = []
    for label in sorted(by_label):
        known = by_label[label]
        random.Random(f"{_SEED} {draw.number} {label}").shuffle(known)  # noqa: S311  nothing secret is drawn
        chosen += known[: draw.size]
    return chosen


def curve(measured: Sequence[Measured], lessons: Sequence[Lesson]) -> Curve:
    """What the draws amount to. All of them answered the same messages. Raises ValueError without any."""
    if not measured:
        raise ValueError("nothing was measured")
    counts = Counter(lesson.label for lesson in lessons)
    by_size: dict[int, list[Measured]] = {}
    for one in sorted(measured, key=lambda one: (one.draw.size or math.inf, one.draw.number)):
        by_size.setdefault(one.draw.size, []).append(one)
    arms = list(measured[0].right)
    messages = len(measured[0].right[arms[0]])
    weights = np.random.default_rng(_SEED).multinomial(messages, np.full(messages, 1 / messages), REPLICATES) / messages
    replicates = {arm: [_replicates(of, arm, weights) for of in by_size.values()] for arm in arms}
    points = {
        arm: [_point(of, arm, row) for of, row in zip(by_size.values(), replicates[arm], strict=True)] for arm in arms
    }
    average = sum(counts.values()) / max(1, len(counts))
    return Curve(messages, len(counts), points, _crossings(points, replicates, average), replicates)


def _replicates(of: Sequence[Measured], arm: str, weights: Numbers) -> Numbers:
    """The mean accuracy of draws drawn again, on messages drawn again (a bootstrap of both, Owen 2007, "The pigeonhole
    bootstrap")."""
    right = np.array([one.right[arm] for one in of], dtype=np.float64)
    again = np.random.default_rng(_SEED).multinomial(len(of), np.full(len(of), 1 / len(of)), len(weights)) / len(of)
    return np.asarray(((weights @ right.T) * again).sum(axis=1), dtype=np.float64)


def _point(of: Sequence[Measured], arm: str, replicates: Numbers) -> Point:
    low, high = _ends(replicates)
    right = float(np.mean([np.mean(one.right[arm]) for one in of]))
    examples = sum(one.examples for one in of) / len(of)
    return Point(of[0].draw.size, examples, right, low, high, len(of))


# --- where lines cross ---


def _crossings(
    points: Mapping[str, Sequence[Point]], replicates: Mapping[str, Sequence[Numbers]], average: float
) -> list[Crossing]:
    found = []
    for few, many in permutations(points, 2):
        pairs = zip(replicates[few], replicates[many], strict=True)
        ends = [_ends(late - early) for early, late in pairs]
        if (proven := _proven(ends)) is not None:
            below, above = proven
            at = _meeting(points[few], points[many], proven, average)
            found.append(Crossing(few, many, at, points[few][below].size, points[few][above].size))
    return found


def _ends(values: Numbers) -> tuple[float, float]:
    low, high = np.percentile(values, _ENDS)
    return float(low), float(high)


def _proven(ends: Sequence[tuple[float, float]]) -> tuple[int, int] | None:
    """(the last place at which less is proven, the first one after it at which more is); None: not on both sides."""
    below = [place for place, (_, high) in enumerate(ends) if high < 0]
    above = [place for place, (low, _) in enumerate(ends) if low > 0 and below and place > below[0]]
    if not above:
        return None
    return max(place for place in below if place < above[0]), above[0]


def _meeting(few: Sequence[Point], many: Sequence[Point], proven: tuple[int, int], average: float) -> float:
    """Examples a team where the lines meet between two places, straight over the logarithm of the size."""
    sizes = [math.log(point.size or average) for point in few]
    gaps = [late.accuracy - early.accuracy for early, late in zip(few, many, strict=True)]
    place = next(place for place in range(*proven) if gaps[place + 1] > 0)
    share = gaps[place] / (gaps[place] - gaps[place + 1])
    return math.exp(sizes[place] + max(share, 0.0) * (sizes[place + 1] - sizes[place]))
