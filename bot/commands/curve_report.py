"""`switchboard curve`: the points as a table, as JSON or as a page to print, and the conclusions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.console import say
from bot.domain.curve_extrapolation import METHOD, Extrapolated, NotExtrapolated
from bot.domain.learning_curve import Crossing, Curve, Point
from bot.domain.plural import worded
from bot.files import writing
from bot.json_lines import json_line

_COLOURS = ("#2f6fb0", "#c4572e", "#3c8d53", "#7a4fa3", "#8a6d1c", "#4a4f57")
_LEFT, _WIDE, _TOP, _HIGH = 50.0, 560.0, 14.0, 260.0


@dataclass(frozen=True, slots=True)
class CurveReport:
    """A curve, and everything reported on it."""

    task: str
    curve: Curve
    more: Mapping[str, Extrapolated | NotExtrapolated]
    """For each arm that learns."""
    whole: str
    """The arm for which a sentence says what more examples would be worth."""
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Line:
    """An arm in the drawing."""

    arm: str
    colour: str
    line: str
    band: str
    dots: Sequence[tuple[float, float]]


def show(made: CurveReport, as_json: bool, out: TextIO) -> None:
    """Print the figures on `out`, as a table or JSON, and their meaning to the person at the terminal."""
    if as_json:
        print(json_line(curve_json(made)), file=out)
    else:
        out.writelines(f"{line}\n" for line in table_lines(made.curve))
    for note in made.notes:
        say(f"! {note}")
    for sentence in sentences(made):
        say(sentence)


def sentences(made: CurveReport) -> list[str]:
    """Which arm is better with few examples and which with many, and what more examples would be worth."""
    said = [_crossed(one) for one in made.curve.crossings]
    return [*(said or ["No two arms are proven to change places."]), _worth(made)]


def _crossed(one: Crossing) -> str:
    above = f"{one.proven_above} a team" if one.proven_above else "all of them"
    luck = ", on one draw alone" if one.draws == 1 else ""
    return (
        f"Below about {_round(one.at)} examples a team {one.few} is better, above it {one.many} "
        f"(proven with {one.proven_below} a team and with {above}{luck})."
    )


def _round(at: float) -> int:
    """The number to two significant digits."""
    step = 10 ** max(0, math.floor(math.log10(at)) - 1) if at >= 1 else 1
    return max(1, round(at / step) * step)


def _worth(made: CurveReport) -> str:
    match made.more[made.whole]:
        case Extrapolated() as found:
            return (
                f"{found.more:,} more {worded(found.more, 'example')} like these would be worth about "
                f"{found.gain * 100:+.1f} points "
                f"({found.low * 100:.1f} to {found.high * 100:.1f}) to the {made.whole}: extrapolated by {METHOD}, "
                "not measured."
            )
        case NotExtrapolated(reason=reason):
            return f"What more examples would be worth to the {made.whole} is not extrapolated: {reason}."


def table_lines(curve: Curve) -> list[str]:
    """A line for each arm and a column for each size: accuracy in percent, and half its interval."""
    first = _sizes(curve)
    head = ["examples a team", *(_size(point) for point in first)]
    rows = [head, *([arm, *_cells(first, points)] for arm, points in curve.points.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([name.ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells, widths[1:], strict=True))])
        for name, *cells in rows
    ]


def _sizes(curve: Curve) -> list[Point]:
    """A point of each size, all examples last; an arm may lack some sizes."""
    found = {point.size: point for points in curve.points.values() for point in points}
    return [found[size] for size in sorted(found, key=lambda size: size or math.inf)]


def _cells(sizes: Sequence[Point], points: Sequence[Point]) -> list[str]:
    """A cell for each size; a dash where the arm was not measured."""
    known = {point.size: point for point in points}
    return [_cell(known[one.size]) if one.size in known else "–" for one in sizes]


def _size(point: Point) -> str:
    return str(point.size) if point.size else f"all ({point.examples:,.0f})"


def _cell(point: Point) -> str:
    return f"{point.accuracy * 100:.1f} ± {(point.high - point.low) * 50:.1f}"


def curve_json(made: CurveReport) -> dict[str, object]:
    """Every figure; no message's text."""
    curve = made.curve
    return {
        "task": made.task,
        "messages": curve.messages,
        "teams": curve.teams,
        "arms": {arm: [_point_json(point) for point in points] for arm, points in curve.points.items()},
        "crossings": [
            {
                "few": one.few,
                "many": one.many,
                "examples_a_team": round(one.at, 1),
                "proven_below": one.proven_below,
                "proven_above": one.proven_above or None,
                "draws": one.draws,
            }
            for one in curve.crossings
        ],
        "more": {arm: _more_json(found) for arm, found in made.more.items()},
        "sentences": sentences(made),
        "notes": list(made.notes),
    }


def _point_json(point: Point) -> dict[str, object]:
    return {
        "examples_a_team": point.size or None,
        "examples": round(point.examples, 1),
        "accuracy": round(point.accuracy, 6),
        "low": round(point.low, 6),
        "high": round(point.high, 6),
        "draws": point.draws,
    }


def _more_json(found: Extrapolated | NotExtrapolated) -> dict[str, object]:
    if isinstance(found, NotExtrapolated):
        return {"refused": found.reason}
    ends = {"gain": round(found.gain, 6), "low": round(found.low, 6), "high": round(found.high, 6)}
    return {"examples": found.more, **ends, "method": METHOD}


# --- the page ---


def write_page(path: Path, made: CurveReport) -> None:
    """Write a self-contained page: no script, font or picture from elsewhere."""
    known = Environment(loader=PackageLoader("bot", "pages"), autoescape=True, undefined=StrictUndefined)
    first = _sizes(made.curve)
    page = known.get_template("curve.html").render(
        made=made,
        sentences=sentences(made),
        sizes=[_size(point) for point in first],
        rows=[(arm, _cells(first, points)) for arm, points in made.curve.points.items()],
        lines=_lines(made.curve),
        across=[(_across(first, point), _size(point)) for point in first],
        up=[(_up(_least(made.curve), share), f"{share:.0%}") for share in _steps(_least(made.curve))],
    )
    with writing(path) as out:
        out.write(page)


def _lines(curve: Curve) -> list[_Line]:
    least, sizes = _least(curve), _sizes(curve)
    drawn = []
    for (arm, points), colour in zip(curve.points.items(), cycle(_COLOURS), strict=False):
        across = [_across(sizes, point) for point in points]
        dots = [(x, _up(least, point.accuracy)) for x, point in zip(across, points, strict=True)]
        upper = [(x, _up(least, point.high)) for x, point in zip(across, points, strict=True)]
        lower = [(x, _up(least, point.low)) for x, point in zip(across, points, strict=True)]
        drawn.append(_Line(arm, colour, _path(dots), _path([*upper, *reversed(lower)]), dots))
    return drawn


def _path(dots: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in dots)


def _across(points: Sequence[Point], point: Point) -> float:
    first, last = math.log(points[0].examples), math.log(points[-1].examples)
    share = (math.log(point.examples) - first) / (last - first) if last > first else 0.5
    return round(_LEFT + _WIDE * share, 1)


def _up(least: float, share: float) -> float:
    return round(_TOP + _HIGH * (1 - share) / (1 - least), 1)


def _least(curve: Curve) -> float:
    """The start of the scale: the whole tenth below all that is drawn."""
    lowest = min(point.low for points in curve.points.values() for point in points)
    return min(0.9, math.floor(lowest * 10) / 10)


def _steps(least: float) -> list[float]:
    tenths = range(round(least * 10), 11)
    return [tenth / 10 for tenth in tenths]
