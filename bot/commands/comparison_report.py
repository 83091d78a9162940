"""`switchboard compare`: the arms as a table, as JSON, or as a page to print, with the verdict in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.commands.comparison import Comparison
from bot.commands.prompted_cells import prompted_cells, prompted_json
from bot.console import say
from bot.domain.comparison import Difference, Figures
from bot.domain.plural import counted
from bot.domain.worth import money, points
from bot.files import writing
from bot.json_lines import json_line

COLUMNS = (
    *(
        "arm",
        "accuracy",
        "macro F1",
        "points against what serves",
        "p (McNemar)",
        "ECE",
        "coverage at 95 %",
        "no answer",
    ),
    *("p50 ms", "p95 ms", "per 1,000", "training per 1,000", "minutes lost per 1,000"),
    *("tokens", "messages", "to be known"),
)
_NOTHING = "–"
_LEFT, _WIDE = 250.0, 340.0
"""The start and the width of the drawing's scale, in its units."""
_ROOM = 34
"""The most characters of a name beside the drawing."""
_COLUMNS_EACH = 8
"""The most labels side by side in one table of the page: more would not fit on paper."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An arm in the drawing: the positions of its dot and of its interval's ends."""

    arm: str
    dot: float
    low: float
    high: float
    said: str

    @property
    def short(self) -> str:
        """The name, shortened in the middle where it is long: arms of one model differ at the end."""
        return self.arm if len(self.arm) <= _ROOM else f"{self.arm[:12]}…{self.arm[13 - _ROOM :]}"


def show(made: Comparison, as_json: bool, out: TextIO) -> None:
    """Print the figures on `out`, as a table or JSON, and their meaning to the person at the terminal."""
    if as_json:
        print(json_line(comparison_json(made)), file=out)
    else:
        out.writelines(f"{line}\n" for line in table_lines(made))
    for sentence in left_out(made):
        say(sentence)
    for sentence in made.notes:
        say(f"! {sentence}")
    say(made.verdict)


def left_out(made: Comparison) -> list[str]:
    """How many messages are compared, and how many are left out."""
    said = [counted(made.messages, "message is compared", "messages are compared")]
    if made.leaked:
        said.append(
            f"{counted(made.leaked, 'is left out: it nearly repeats', 'are left out: they nearly repeat')} "
            "a text that is learned from"
        )
    if made.repeated:
        said.append(
            f"{counted(made.repeated, 'is left out: it repeats', 'are left out: they repeat')} "
            "another message of the file"
        )
    return said


def comparison_json(made: Comparison) -> dict[str, object]:
    """Every figure; no message's text."""
    return {
        "task": made.task,
        "adapter": made.adapter,
        "verdict": made.verdict,
        "messages": made.messages,
        "leaked": made.leaked,
        "repeated": made.repeated,
        "currency": made.book.currency,
        "prices_dated": made.book.dated.isoformat(),
        "arms": [_row(row) for row in made.rows],
        "failed": [{"arm": arm, "why": why} for arm, why in made.failed],
        "notes": list(made.notes),
    }


def _row(row: Figures) -> dict[str, object]:
    return {
        "arm": row.arm,
        "accuracy": _rounded(row.accuracy),
        "macro_f1": _rounded(row.macro_f1),
        "by_language": {language: _rounded(right) for language, right in row.languages.items()},
        "ece": _rounded(row.ece),
        "coverage_at_95": _rounded(row.coverage_at_95),
        "unanswered": row.unanswered,
        "latency_ms": {"p50": _rounded(row.p50), "p95": _rounded(row.p95)},
        "per_1000": _rounded(row.per_1000),
        "training_per_1000": _rounded(row.training_per_1000),
        "minutes_per_1000": _rounded(row.minutes_per_1000),
        "against_served": None if row.difference is None else _compared(row.difference),
        **prompted_json(row),
    }


def _compared(found: Difference) -> dict[str, object]:
    return {
        "gain": _rounded(found.gain),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
        "mcnemar_p": _rounded(found.p_value),
        "gained": found.pairs.gained,
        "lost": found.pairs.lost,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def table_lines(made: Comparison) -> list[str]:
    """A line for each arm below the columns' names, in columns of equal width."""
    rows = [COLUMNS, *all_cells(made)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *numbers, last in rows:
        cells = [cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells, last.ljust(widths[-1])]))
    return lines


def all_cells(made: Comparison) -> list[tuple[str, ...]]:
    """A row for each arm, including those without figures."""
    failed = [(arm, *[_NOTHING] * (len(COLUMNS) - 2), f"failed: {why}") for arm, why in made.failed]
    return [*(_cells(row, made.book.currency) for row in made.rows), *failed]


def _cells(row: Figures, currency: str) -> tuple[str, ...]:
    found = row.difference
    return (
        row.arm,
        f"{row.accuracy:.1%}",
        f"{row.macro_f1:.3f}",
        "serves now" if found is None else points(found).removesuffix(" points"),
        _NOTHING if found is None else _chance(found.p_value),
        _shown(row.ece, ".3f"),
        _shown(row.coverage_at_95, ".1%"),
        str(row.unanswered),
        _shown(row.p50, ".1f"),
        _shown(row.p95, ".1f"),
        _NOTHING if row.per_1000 is None else money(row.per_1000, currency),
        _NOTHING if row.training_per_1000 is None else money(row.training_per_1000, currency),
        _shown(row.minutes_per_1000, ".0f"),
        *prompted_cells(row),
    )


def _chance(p_value: float) -> str:
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _shown(value: float | None, form: str) -> str:
    return _NOTHING if value is None else format(value, form)


# --- the page ---


def write_page(path: Path, made: Comparison) -> None:
    """Write a self-contained page: no script, font or picture from elsewhere."""
    known = Environment(loader=PackageLoader("bot", "pages"), autoescape=True, undefined=StrictUndefined)
    page = known.get_template("comparison.html").render(
        made=made,
        left_out=left_out(made),
        columns=COLUMNS,
        columns_each=_COLUMNS_EACH,
        rows=all_cells(made),
        labels=sorted({label for row in made.rows for label in row.recalls}),
        drawn=_drawn(made.rows),
        zero=_LEFT + _WIDE / 2,
        languages=sorted({language for row in made.rows for language in row.languages}),
    )
    with writing(path) as out:
        out.write(page)


def _drawn(rows: Sequence[Figures]) -> list[_Drawn]:
    """The differences to what serves, on a scale that the widest just fits."""
    compared = [(row.arm, row.difference) for row in rows if row.difference is not None]
    widest = max((abs(end) for _, one in compared for end in (one.low, one.high, one.gain)), default=0.0) or 0.01

    def at(share: float) -> float:
        return round(_LEFT + _WIDE / 2 * (1 + share / widest), 1)

    return [_Drawn(arm, at(one.gain), at(one.low), at(one.high), points(one)) for arm, one in compared]
