"""How to read a file: the flags of `import`, `route` and `evaluate`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions, Unknown

_HOLDS = "JSON lines, CSV, OpenAI chat lines or a spreadsheet, packed or not; - is standard input."
ReadFrom = Annotated[Path, typer.Argument(metavar="FILE", help=_HOLDS)]
MaybeReadFrom = Annotated[Path | None, typer.Argument(metavar="FILE", help=_HOLDS)]
RouteFrom = Annotated[Path | None, typer.Option("--file", metavar="FILE", help=_HOLDS)]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="Its encoding, like cp1252; by default it is recognised."),
]
TextColumns = Annotated[
    list[str] | None,
    typer.Option("--text", metavar="COLUMN,…", help="The columns with the text, read one below the other."),
]
LabelColumn = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="The column with the label.")]
FirstTeam = Annotated[
    str | None,
    typer.Option("--first", metavar="COLUMN", help="The column with a ticket's first team; --label is the last."),
]
WhenColumn = Annotated[
    str | None,
    typer.Option("--at", metavar="COLUMN", help="The column with the time; of one text's labels the newest counts."),
]
Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="THEIRS=OURS", help='What a label is called here, like "Level 1=it"; repeatable.'),
]
UnknownLabels = Annotated[
    Unknown, typer.Option("--unknown", help="What to do with rows whose label the settings do not have.")
]
KeepHtml = Annotated[bool, typer.Option("--keep-html", help="Leave HTML as it is, instead of taking its text.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Keep the good lines of a file with bad ones.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse a file in which one text has two labels.")]
Rows = Annotated[
    Path | None,
    typer.Option("--rows", metavar="FILE", dir_okay=False, help="Also write a JSON line a text, voice by voice."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be stored.")]


def read_options(
    encoding: str | None,
    text: Sequence[str] | None,
    label: str | None = None,
    mapped: Sequence[str] | None = None,
    unknown: Unknown = Unknown.REFUSE,
    keep_html: bool = False,
    first: str | None = None,
    at: str | None = None,
) -> ReadOptions:
    """The flags as one value. Raises UsageError for a --map of the wrong form."""
    pairs: dict[str, str] = {}
    for one in mapped or ():
        theirs, equals, ours = one.rpartition("=")
        if not equals or not theirs.strip() or not ours.strip():
            raise UsageError(f'--map {one!r} maps nothing; write it like --map "Level 1=it"')
        pairs[theirs.strip()] = ours.strip()
    columns = tuple(name.strip() for names in text or () for name in names.split(",") if name.strip())
    return ReadOptions(encoding, columns, label, pairs, unknown, keep_html, first, at)
