"""`switchboard compare --history`: the weekly verdicts as a table, as JSON, or as a page with their curves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Annotated, TextIO

import typer
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.console import say, table
from bot.domain.comparison import SERVED, WITHOUT
from bot.domain.mixture import WORDS
from bot.domain.past_comparisons import PastComparison, arms_over_time
from bot.domain.report_posts import ReportedArm
from bot.files import writing
from bot.json_lines import json_line

MOST = 260
"""The most weeks that are shown: five years."""
_SHOWN = (SERVED, WITHOUT, WORDS)
_COLOURS = ("#2f6fb0", "#c4572e", "#3c8d53", "#7a4fa3", "#8a6d1c", "#4a4f57", "#1f8a8a")
_LEFT, _WIDE, _TOP, _HIGH = 50.0, 560.0, 14.0, 220.0

History = Annotated[bool, typer.Option("--history", help="Compare nothing: show the verdicts of the weeks before.")]


@dataclass(frozen=True, slots=True)
class _Line:
    """An arm in the drawing."""

    arm: str
    colour: str
    dots: Sequence[tuple[float, float, str]]
    """(x, y, description) of each dot."""

    @property
    def path(self) -> str:
        return " ".join(f"{x},{y}" for x, y, _ in self.dots)


def show_history(past: Sequence[PastComparison], task: str, as_json: bool, out: TextIO) -> None:
    """Print one row for each comparison, the newest first, or all of them as JSON."""
    if as_json:
        print(json_line([_json(one) for one in past]), file=out)
        return
    if not past:
        say(f"nothing was compared by schedule yet (setting: tasks.{task}.learning.comparison)")
        return
    rows = [(f"{one.at:%Y-%m-%d}", str(one.report.messages), *_accuracies(one), one.verdict) for one in past]
    table(f"is fine-tuning worth it for {task}?", ("at", "messages", *_SHOWN, "verdict"), rows)


def _json(one: PastComparison) -> dict[str, object]:
    report = one.report
    return {
        "at": one.at.isoformat(),
        "task": report.task,
        "messages": report.messages,
        "ruling": report.ruling,
        "verdict": one.verdict,
        "adapter": one.adapter,
        "gain": report.gain,
        "margin": report.margin,
        "currency": report.currency,
        "arms": [asdict(arm) for arm in report.arms],
    }


def _accuracies(one: PastComparison) -> list[str]:
    known = {arm.name: arm for arm in one.report.arms}
    return [f"{known[name].accuracy:.1%}" if name in known else "–" for name in _SHOWN]


def write_history(path: Path, past: Sequence[PastComparison], task: str) -> None:
    """Write a self-contained page: no script, font or picture from elsewhere."""
    known = Environment(loader=PackageLoader("bot", "pages"), autoescape=True, undefined=StrictUndefined)
    lines, least = _lines(past)
    page = known.get_template("comparison_history.html").render(
        task=task,
        past=past,
        lines=lines,
        up=[(_up(least, tenth / 10), f"{tenth * 10} %") for tenth in range(round(least * 10), 11)],
        shown=_SHOWN,
        rows=[(f"{one.at:%Y-%m-%d}", one.report.messages, _accuracies(one), one.verdict) for one in past],
    )
    with writing(path) as out:
        out.write(page)


def _lines(past: Sequence[PastComparison]) -> tuple[list[_Line], float]:
    """A line for each arm, and the start of the scale: the whole tenth below all values."""
    lowest = min((arm.accuracy for one in past for arm in one.report.arms), default=0.9)
    least = min(0.9, int(lowest * 10) / 10)
    times = sorted(one.at for one in past)
    whole = (times[-1] - times[0]).total_seconds() if len(times) > 1 else 0.0
    across = [_LEFT + _WIDE * ((at - times[0]).total_seconds() / whole if whole else 0.5) for at in times]
    drawn = zip(arms_over_time(past).items(), cycle(_COLOURS), strict=False)
    return [_Line(arm, colour, _dots(across, row, least)) for (arm, row), colour in drawn], least


def _dots(across: Sequence[float], row: Sequence[ReportedArm | None], least: float) -> list[tuple[float, float, str]]:
    seen = [(x, arm) for x, arm in zip(across, row, strict=True) if arm is not None]
    return [(round(x, 1), _up(least, arm.accuracy), f"{arm.name}: {arm.accuracy:.1%}") for x, arm in seen]


def _up(least: float, share: float) -> float:
    return round(_TOP + _HIGH * (1 - share) / (1 - least), 1)
