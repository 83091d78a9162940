"""`switchboard data`: the examples' figures as a table, as JSON, as a line for each example, or as a page to print."""

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.console import say, table
from bot.domain.data_report import DataReport, Traits
from bot.domain.learning import Source, text_key
from bot.domain.personal_data import personal_data
from bot.files import writing
from bot.json_lines import json_line


def show_report(made: DataReport, as_json: bool, out: TextIO) -> None:
    """Print the figures on `out`, as a table or JSON, and their meaning to the person at the terminal."""
    if as_json:
        print(json_line(report_json(made)), file=out)
    else:
        out.writelines(f"{line}\n" for line in _lines(made))
    for finding in made.findings:
        say(f"{'✗' if finding.refused else '!'} {finding.fault}: {finding.says}")
    if not made.findings:
        say("✓ nothing is wrong with it")


def report_json(made: DataReport) -> dict[str, object]:
    """Every figure; no example's text."""
    return {
        "task": made.task,
        "examples": made.examples,
        "texts": made.texts,
        "labels": [
            {
                "label": row.label,
                "train": row.train,
                "held_out": row.held_out,
                "sources": {source.value: count for source, count in row.by_source.items()},
            }
            for row in made.labels
        ],
        "repeated": sum(row.repeats for row in made.rows),
        "near_duplicates": made.near_duplicates,
        "largest_group": made.largest_group,
        "contradicting": [{"labels": list(pair), "groups": many} for pair, many in made.contradicting.items()],
        "leaked": made.leaked,
        "judged": made.judged,
        "languages": dict(made.languages),
        "words": dict(zip(("median", "p90", "most"), made.words, strict=True)),
        "long": made.long,
        "personal_data": {kind.value: many for kind, many in made.personal.items()},
        "findings": [
            {"fault": f.fault, "share": round(f.share, 4), "refused": f.refused, "says": f.says} for f in made.findings
        ],
    }


def _lines(made: DataReport) -> Sequence[str]:
    """Columns separated by tabs, so that other programs can read them."""
    header = "\t".join(("label", "train", "held-out", *(source.value for source in Source)))
    rows = [
        "\t".join(map(str, (row.label, row.train, row.held_out, *(row.by_source.get(s, 0) for s in Source))))
        for row in made.labels
    ]
    return [header, *rows]


def say_figures(made: DataReport) -> None:
    """Print the figures that belong to no single label."""
    languages = ", ".join(f"{language} {many}" for language, many in made.languages.items())
    personal = ", ".join(f"{kind.value} {many}" for kind, many in made.personal.items()) or "none"
    figures = (
        ("examples", str(made.examples)),
        ("different texts", str(made.texts)),
        ("near duplicates", f"{made.near_duplicates}, the largest group {made.largest_group}"),
        ("groups with two labels", str(sum(made.contradicting.values()))),
        ("held out", f"{made.judged} judge, {made.leaked} are left out (they nearly repeat one to learn from)"),
        ("languages", languages),
        ("words", "half have up to {}, nine of ten up to {}, the most {}".format(*made.words)),
        ("texts with personal data", personal),
    )
    table(f"data of {made.task}", ("figure", "value"), figures)


def write_examples(path: Path, rows: Sequence[Traits]) -> None:
    """Write a JSON line for each example: its source and its faults.

    The text is included unless it holds personal data; such an example is found by its key, or its conversation.
    """
    with writing(path) as out:
        out.writelines(json_line(_row(row)) + "\n" for row in rows)


def _row(row: Traits) -> dict[str, object]:
    example = row.example
    found = personal_data(example.text)
    return {
        "text_key": text_key(example.text),
        "text": None if found else example.text,
        "label": example.label,
        "source": example.source.value,
        "side": example.side.value,
        "file": example.origin or None,
        "conversation": example.conversation,
        "at": example.at.isoformat(),
        "group": row.group,
        "repeats": row.repeats,
        "contradicted": row.contradicted,
        "leaked": row.leaked,
        "personal_data": {kind.value: many for kind, many in found.items()},
    }


def write_page(path: Path, made: DataReport) -> None:
    """Write a self-contained page: no script, font or picture from elsewhere."""
    known = Environment(loader=PackageLoader("bot", "pages"), autoescape=True, undefined=StrictUndefined)
    page = known.get_template("data.html").render(made=made, largest=_largest(made), words=made.words)
    with writing(path) as out:
        out.write(page)


def _largest(made: DataReport) -> int:
    return max((row.train + row.held_out for row in made.labels), default=0) or 1
