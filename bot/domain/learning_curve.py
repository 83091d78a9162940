"""How accuracy grows with examples: draws of so many a team, points with intervals, and where arms cross.

Not every arm is measured on every draw: one that takes minutes to train has fewer. Two arms are compared on the draws
that both have, and at the sizes at which both have one.
"""

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
"""Examples a team; after these, all examples."""
DRAWS = 5
"""Subsets of each size: with few examples, which ones a team happens to have matters more than anything else."""
REPLICATES, _SEED = 2_000, 23
_ENDS = (2.5, 97.5)

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class Draw:
    """One subset of the examples to fit on."""

    size: int
    """Examples a team; 0: all."""
    number: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The answers of arms that were fitted on one draw."""

    draw: Draw
    examples: int
    """In total: a team with fewer than the draw's size contributes all it has."""
    right: Mapping[str, Sequence[bool]]
    """Arm -> whether it is right, message by message, in order."""


@dataclass(frozen=True, slots=True)
class Point:
    """An arm at one size."""

    size: int
    """As in `Draw`."""
    examples: float
    """The mean over the draws."""
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
    """The smallest size at which `many` is; 0: with all examples."""
    draws: int = DRAWS
    """The fewest draws on which both were measured where it is proven; one does not show the luck of the draw."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Every arm's points, and what follows from them."""

    messages: int
    teams: int
    points: Mapping[str, Sequence[Point]]
    """In order of size, all examples last, where the arm was measured. An arm that does not learn here is constant."""
    crossings: Sequence[Crossing]
    replicates: Mapping[str, Sequence[Numbers]] = field(default_factory=dict, repr=False, compare=False)
    """For each point, the accuracy in every replicate; the same draws and messages for all arms."""


def planned(counts: Mapping[str, int], draws: int = DRAWS) -> list[Draw]:
    """The draws to fit, cheapest first. A size that no team exceeds is left out, being the same as all."""
    most = max(counts.values(), default=0)
    sizes = [size for size in SIZES if size < most]
    return [Draw(size, number) for size in sizes for number in range(draws)] + [Draw(0, 0)]


def drawn(lessons: Sequence[Lesson], draw: Draw) -> list[Lesson]:
    """The lessons of a draw, the same on every machine. A larger draw contains the smaller one of the same number."""
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


def together(measured: Sequence[Measured], more: Sequence[Measured]) -> list[Measured]:
    """The draws with the answers of both measurements. `more` may have fewer draws, or others."""
    found = {one.draw: one for one in measured}
    for one in more:
        known = found.get(one.draw)
        found[one.draw] = one if known is None else Measured(one.draw, one.examples, {**known.right, **one.right})
    return list(found.values())


def curve(measured: Sequence[Measured], lessons: Sequence[Lesson]) -> Curve:
    """The curve of these draws, all of which answered the same messages. Raises ValueError without any."""
    if not measured:
        raise ValueError("nothing was measured")
    counts = Counter(lesson.label for lesson in lessons)
    again = _Replicated(measured)
    points = {arm: [again.point(arm, size) for size in again.sizes(arm)] for arm in again.arms}
    replicates = {arm: [again.of(arm, again.draws(size, arm)) for size in again.sizes(arm)] for arm in again.arms}
    average = sum(counts.values()) / max(1, len(counts))
    return Curve(again.messages, len(counts), points, _crossings(again, average), replicates)


class _Replicated:
    """Accuracies on messages and draws that are resampled, in the same way for all arms."""

    def __init__(self, measured: Sequence[Measured]) -> None:
        ordered = sorted(measured, key=lambda one: (one.draw.size or math.inf, one.draw.number))
        self.arms = list(dict.fromkeys(arm for one in ordered for arm in one.right))
        self.messages = n = len(next(iter(ordered[0].right.values())))
        self._by_size: dict[int, list[Measured]] = {}
        for one in ordered:
            self._by_size.setdefault(one.draw.size, []).append(one)
        weights = np.random.default_rng(_SEED).multinomial(n, np.full(n, 1 / n), REPLICATES) / n
        self._rows = {
            (arm, one.draw): weights @ np.array(hits, dtype=np.float64)
            for one in ordered
            for arm, hits in one.right.items()
        }

    def sizes(self, *arms: str) -> list[int]:
        """The sizes at which all of these arms have a draw in common, all examples last."""
        return [size for size in self._by_size if self.draws(size, *arms)]

    def draws(self, size: int, *arms: str) -> list[Measured]:
        """The draws of that size on which all of these arms were measured."""
        return [one for one in self._by_size[size] if all(arm in one.right for arm in arms)]

    def of(self, arm: str, draws: Sequence[Measured]) -> Numbers:
        """The mean accuracy over resampled draws and resampled messages (a bootstrap of both, Owen 2007, "The
        pigeonhole bootstrap")."""
        rows = np.stack([self._rows[arm, one.draw] for one in draws], axis=1)
        n = len(draws)
        again = np.random.default_rng(_SEED).multinomial(n, np.full(n, 1 / n), REPLICATES) / n
        return np.asarray((rows * again).sum(axis=1), dtype=np.float64)

    def point(self, arm: str, size: int) -> Point:
        of = self.draws(size, arm)
        low, high = _ends(self.of(arm, of))
        examples = sum(one.examples for one in of) / len(of)
        return Point(size, examples, _right(arm, of), low, high, len(of))


def _right(arm: str, draws: Sequence[Measured]) -> float:
    return float(np.mean([np.mean(one.right[arm]) for one in draws]))


# --- where lines cross ---


def _crossings(again: _Replicated, average: float) -> list[Crossing]:
    found = []
    for few, many in permutations(again.arms, 2):
        both = [again.draws(size, few, many) for size in again.sizes(few, many)]
        ends = [_ends(again.of(many, draws) - again.of(few, draws)) for draws in both]
        if (proven := _proven(ends)) is not None:
            gaps = [_right(many, draws) - _right(few, draws) for draws in both]
            sizes = [draws[0].draw.size for draws in both]
            at = _meeting([math.log(size or average) for size in sizes], gaps, proven)
            below, above = (both[place] for place in proven)
            fewest = min(len(draws) for draws in (below, above) if draws[0].draw.size)  # there is but one draw of all
            found.append(Crossing(few, many, at, sizes[proven[0]], sizes[proven[1]], fewest))
    return found


def _ends(values: Numbers) -> tuple[float, float]:
    low, high = np.percentile(values, _ENDS)
    return float(low), float(high)


def _proven(ends: Sequence[tuple[float, float]]) -> tuple[int, int] | None:
    """(the last place where `few` is proven better, the first after it where `many` is); None: not on both sides."""
    below = [place for place, (_, high) in enumerate(ends) if high < 0]
    above = [place for place, (low, _) in enumerate(ends) if low > 0 and below and place > below[0]]
    if not above:
        return None
    return max(place for place in below if place < above[0]), above[0]


def _meeting(sizes: Sequence[float], gaps: Sequence[float], proven: tuple[int, int]) -> float:
    """Examples a team where the lines meet between two places, straight lines over the logarithm of the size."""
    place = next(place for place in range(*proven) if gaps[place + 1] > 0)
    share = gaps[place] / (gaps[place] - gaps[place + 1])
    return math.exp(sizes[place] + max(share, 0.0) * (sizes[place + 1] - sizes[place]))
