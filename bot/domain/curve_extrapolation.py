"""What more examples would be worth: a learning curve continued by an inverse power law, where that holds. Pure.

error(n) = a + b * n ** -c, fitted by weighted nonlinear least squares: Figueroa, Zeng-Treitler, Kandula and Ngo 2012,
"Predicting sample size required for classification performance". It is refused where the law would not have foretold
what was measured with all examples, and for more additional examples than there are already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.domain.learning_curve import Curve, Point

METHOD = "an inverse power law, Figueroa et al. 2012"
_LEAST_SIZES = 4
_FITS = 200
"""Number of replicates that are fitted: each takes milliseconds, and the interval's ends are stable by then."""
_OFF = 0.01
"""How far a forecast may be from what was measured without counting as wrong: a point is little."""
_ENDS = (2.5, 97.5)

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Extrapolated:
    """What so many more examples would be worth to an arm, as a share of the messages; a forecast, not measured."""

    more: int
    gain: float
    low: float
    high: float
    """The 95 % interval's ends, by the bootstrap. They hold if the law does."""


@dataclass(frozen=True, slots=True)
class NotExtrapolated:
    """Why there is no forecast."""

    reason: str


def extrapolated(curve: Curve, arm: str, more: int) -> Extrapolated | NotExtrapolated:
    """What `more` examples like the present ones would be worth to this arm."""
    points = curve.points[arm]
    rows = np.array(curve.replicates[arm])[:, :_FITS]
    if len(points) < _LEAST_SIZES:
        return NotExtrapolated(f"only {len(points)} sizes were measured, and {_LEAST_SIZES} are needed")
    if any(point.draws < 2 for point in points[:-1]):
        return NotExtrapolated("it was measured on one draw a size, so how much of it is luck is not known")
    if more > points[-1].examples:
        return NotExtrapolated(
            f"{more:,} are more than the {points[-1].examples:,.0f} there are, no law holds so far; ask for fewer"
        )
    if np.percentile(rows[-1] - rows[0], _ENDS)[0] <= 0:
        return NotExtrapolated("more examples have not made it better so far")
    if wrong := _foretold_wrongly(points, rows):
        return NotExtrapolated(wrong)
    return _continued(points, rows, more)


def _foretold_wrongly(points: Sequence[Point], rows: Numbers) -> str:
    """How far the law, fitted without the last size, is from what was measured there; empty: not proven wrong."""
    sizes, spread = _sizes(points), _spread(rows)
    last = points[-1]
    foretold = _error_at(_fit(sizes[:-1], 1 - _accuracies(points)[:-1], spread[:-1]), last.examples)
    fits = [_fit(sizes[:-1], 1 - row[:-1], spread[:-1]) for row in rows.T]
    gaps = [_error_at(fit, last.examples) - (1 - row[-1]) for fit, row in zip(fits, rows.T, strict=True)]
    low, high = np.percentile(gaps, _ENDS)
    if low <= 0 <= high or abs(foretold - (1 - last.accuracy)) <= _OFF:
        return ""
    return (
        f"fitted to the smaller sizes, {METHOD}, says {1 - foretold:.1%} at {last.examples:,.0f} examples, and "
        f"{last.accuracy:.1%} were measured: the law does not hold here"
    )


def _continued(points: Sequence[Point], rows: Numbers, more: int) -> Extrapolated:
    sizes, spread, now = _sizes(points), _spread(rows), points[-1].examples

    def gain(errors: Numbers) -> float:
        fit = _fit(sizes, errors, spread)
        return _error_at(fit, now) - _error_at(fit, now + more)

    low, high = np.percentile([gain(1 - row) for row in rows.T], _ENDS)
    return Extrapolated(more, gain(1 - _accuracies(points)), float(low), float(high))


def _fit(sizes: Numbers, errors: Numbers, spread: Numbers) -> Numbers:
    """(a, b, c), b at the first size, which keeps all three near one."""
    from scipy.optimize import least_squares  # half of what a command that fits nothing would load

    scaled = sizes / sizes[0]

    def residuals(law: Numbers) -> Numbers:
        return np.asarray((law[0] + law[1] * scaled ** -law[2] - errors) / spread, dtype=np.float64)

    def slopes(law: Numbers) -> Numbers:
        shrunk = scaled ** -law[2]
        return np.stack([np.ones_like(scaled), shrunk, -law[1] * shrunk * np.log(scaled)], axis=1) / spread[:, None]

    begin = [max(errors[-1] * 0.8, 1e-3), max(errors[0] - errors[-1] * 0.8, 1e-3), 0.5]
    ends = ([0.0, 0.0, 0.01], [1.0, 1.0, 3.0])
    found = least_squares(residuals, begin, jac=slopes, bounds=ends)  # type: ignore[operator]
    return np.array([found.x[0], found.x[1] * sizes[0] ** found.x[2], found.x[2]])


def _error_at(law: Numbers, examples: float) -> float:
    return float(law[0] + law[1] * examples ** -law[2])


def _sizes(points: Sequence[Point]) -> Numbers:
    return np.array([point.examples for point in points])


def _accuracies(points: Sequence[Point]) -> Numbers:
    return np.array([point.accuracy for point in points])


def _spread(rows: Numbers) -> Numbers:
    """The spread by which sizes are weighed; a size at which all replicates agree does not outweigh all others."""
    return np.asarray(np.maximum(rows.std(axis=1), 1e-3), dtype=np.float64)
