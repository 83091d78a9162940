"""A file's bytes as examples, or as texts to classify, with everything that the person should know about it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from bot.domain.errors import UsageError
from bot.domain.example_files.columns import Columns, chosen, without_label
from bot.domain.example_files.contradictions import Numbered
from bot.domain.example_files.csv_rows import read_csv
from bot.domain.example_files.encodings import decoded
from bot.domain.example_files.fasttext import FASTTEXT, read_fasttext
from bot.domain.example_files.html_text import as_text, is_html
from bot.domain.example_files.json_rows import read_json
from bot.domain.example_files.labels import LabelReader
from bot.domain.example_files.reassignments import from_helpdesk, from_table
from bot.domain.example_files.rows import BadLine, LeftOut, Line, Row
from bot.domain.example_files.sides import KNOWN, is_testing, side_named
from bot.domain.example_files.spreadsheets import is_spreadsheet, read_spreadsheet
from bot.domain.example_files.unreadable import unreadable
from bot.domain.learning import Example, Source, side_of
from bot.domain.messages import MAX_TEXT, clean
from bot.domain.plural import counted, worded
from bot.domain.tasks import Task

_FIRST_YEAR, _LAST_YEAR = 1900, 2999
"""A time beyond these is a mistake, and near the ends of the calendar a database cannot return it."""
_WHOLE = re.compile(r"-?\d+\.0+")
"""A whole number, as written by programs that know only fractions."""
_SINCE_1970 = re.compile(r"(\d{9,10})(\d{3})?(?:\.\d+)?")
"""Seconds or milliseconds."""
_OURS = Columns(("text",), "label", "split", "at")


class Unknown(StrEnum):
    """What to do with a row whose label is not in the settings."""

    REFUSE = "refuse"
    SKIP = "skip"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the person wants the file read; options that are not set are recognised."""

    encoding: str | None = None
    text: tuple[str, ...] = ()
    label: str | None = None
    mapped: Mapping[str, str] = field(default_factory=dict)
    unknown: Unknown = Unknown.REFUSE
    keep_html: bool = False
    first: str | None = None
    """The column with the team that a ticket went to first."""
    at: str | None = None
    """The column with the time; of one text's labels the newest counts."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a file."""

    examples: Sequence[Numbered]
    bad: Sequence[BadLine]
    left_out: Sequence[LeftOut]
    said: Sequence[str]
    """What the person should know about how it was read, one sentence each."""
    testing: frozenset[int] = frozenset()
    """The lines that are meant for the final test."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text to classify, as written in the file and as read."""

    number: int
    written: str
    text: str


def read_lines(data: bytes, labels: LabelReader, encoding: str | None) -> tuple[list[Line], list[str]]:
    """(every line of a file, notes for the person). Raises UsageError for a file without lines."""
    problem = unreadable(data)
    if problem:
        raise UsageError(problem)
    if is_spreadsheet(data):
        lines, sheet = read_spreadsheet(data)
        return lines, [sheet]
    file = decoded(data, encoding)
    begin = file.text.lstrip()[:1]
    if begin in ("{", "["):
        history = from_helpdesk(file.text, labels.recognises)
        if history is not None:
            return history[0], [sentence for sentence in (file.said, history[1]) if sentence]
        return list(read_json(file.text)), [file.said] if file.said else []
    if file.text.lstrip().startswith(FASTTEXT):
        return list(read_fasttext(file.text)), [file.said] if file.said else []
    return list(read_csv(file.text, labels.recognises)), [file.said] if file.said else []


def read_examples(data: bytes, task: Task, now: datetime, options: ReadOptions) -> Contents:
    """Every example of a file. `now` stands in for a missing time, the content hash for a missing split.

    Raises UsageError where no line can be read at all.
    """
    labels = LabelReader(task, options.mapped)
    lines, said = read_lines(data, labels, options.encoding)
    rows = [line for line in lines if isinstance(line, Row)]
    moved = from_table(rows, options.first, options.label) if rows else None
    last, told = moved if moved else (options.label, "")
    columns = chosen(rows, options.text, last, labels.recognises, options.at) if rows else _OURS
    if columns.label is None:
        raise without_label(rows)
    reader = _Reader(task, labels, options, columns, now)
    read = [reader.example(line) if isinstance(line, Row) else line for line in lines]
    return Contents(
        [(line.number, one) for line, one in zip(lines, read, strict=True) if isinstance(one, Example)],
        [one for one in read if isinstance(one, BadLine)],
        [one for one in read if isinstance(one, LeftOut)],
        [sentence for sentence in (*said, told, columns.said, *reader.noticed.said, *labels.said) if sentence],
        frozenset(reader.testing),
    )


def read_texts(data: bytes, task: Task, options: ReadOptions) -> tuple[list[Text | BadLine], list[str]]:
    """(every text of a file, whatever its label; notes for the person)."""
    labels = LabelReader(task, options.mapped)
    lines, said = read_lines(data, labels, options.encoding)
    rows = [line for line in lines if isinstance(line, Row)]
    columns = chosen(rows, options.text, None, labels.recognises) if rows else _OURS
    noticed = _Noticed()
    read = [_text(line, columns, options, noticed) if isinstance(line, Row) else line for line in lines]
    texts = [one for one in read if not isinstance(one, LeftOut)]
    return texts, [sentence for sentence in (*said, columns.said and _text_alone(columns), *noticed.said) if sentence]


def _text_alone(columns: Columns) -> str:
    return Columns(columns.text, None).said


@dataclass(slots=True)
class _Noticed:
    """What was done to texts, with the lines in which it was done."""

    markup: list[int] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    to_fallback: list[int] = field(default_factory=list)

    @property
    def said(self) -> Iterator[str]:
        for lines, what in (
            (self.markup, "held HTML, of which only the text is kept (--keep-html leaves it)"),
            (self.cut, f"held more than {MAX_TEXT} characters and were cut"),
            (self.lost, "held U+FFFD: signs that were lost before this file was written"),
            (self.to_fallback, "had a label that the settings do not know, and went to the fallback"),
        ):
            if lines:
                yield f"{counted(len(lines), 'text')} {what}: {listed(lines)}"


def listed(lines: Sequence[int]) -> str:
    """Line numbers for people: the first few."""
    shown = ", ".join(map(str, lines[:10]))
    return f"{worded(len(lines), 'line')} {shown}" + (", …" if len(lines) > 10 else "")


def _text(row: Row, columns: Columns, options: ReadOptions, noticed: _Noticed) -> Text | BadLine:
    """The row's text; several columns one below another, without what a column repeats of the one before."""
    parts: list[str] = []
    for name in _OURS.text if row.verbatim and not options.text else columns.text:
        part = row.fields.get(name)
        if part is not None and not isinstance(part, str):
            return BadLine(row.number, f"{name} must be text in quotes")
        if part and part.strip():
            parts = [part] if parts and part.strip().startswith(parts[-1].strip()) else [*parts, part]
    written = "\n".join(parts)
    plain = written
    if is_html(written) and not row.verbatim and not options.keep_html:
        noticed.markup.append(row.number)
        plain = as_text(written)
    text = clean(plain)
    if not text:
        return BadLine(row.number, "text is missing or empty")
    if len(plain.strip()) > MAX_TEXT:
        noticed.cut.append(row.number)
    if "\ufffd" in text:
        noticed.lost.append(row.number)
    return Text(row.number, written, text)


class _Reader:
    """Turns rows of one file into examples."""

    def __init__(self, task: Task, labels: LabelReader, options: ReadOptions, columns: Columns, now: datetime) -> None:
        self._task, self._labels, self._options, self._columns, self._now = task, labels, options, columns, now
        self.noticed = _Noticed()
        self.testing: list[int] = []

    def example(self, row: Row) -> Example | BadLine | LeftOut:
        columns = _OURS if row.verbatim and not self._options.text else self._columns
        text = _text(row, columns, self._options, self.noticed)
        if isinstance(text, BadLine):
            return text
        label = self._label(row, row.fields.get(columns.label or ""))
        if not isinstance(label, str):
            return label
        split = str(row.fields.get(columns.split or "") or "").strip()
        side = side_named(split) if split else side_of(text.text)
        if side is None:
            return BadLine(row.number, f"unknown split {split!r}; splits are {KNOWN}")
        at = _time(row, columns.at or "", self._now)
        if isinstance(at, BadLine):
            return at
        if is_testing(split):
            self.testing.append(row.number)
        return Example(text.text, label, Source.IMPORT, side, at)

    def _label(self, row: Row, value: object) -> str | BadLine | LeftOut:
        value = _as_written(value)
        if value is not None and not isinstance(value, str):
            return BadLine(row.number, "label must be text in quotes")
        written = (value or "").strip()
        if _WHOLE.fullmatch(written) and self._labels.read(written) is None:
            written = written.partition(".")[0]
        if not written:
            return BadLine(row.number, "label is missing")
        name = self._labels.read(written)
        if name is not None:
            return name
        if self._options.unknown is Unknown.FALLBACK:
            self.noticed.to_fallback.append(row.number)
            return self._task.fallback
        problem = self._labels.why_not(written)
        return LeftOut(row.number, problem) if self._options.unknown is Unknown.SKIP else BadLine(row.number, problem)


def _as_written(label: object) -> object:
    """A number or a truth value as CSV would write it; of a list with one element, that element."""
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    if isinstance(label, bool):
        return str(label).lower()
    return str(label) if isinstance(label, int | float) else label


def _time(row: Row, column: str, now: datetime) -> datetime | BadLine:
    value = row.fields.get(column)
    if value is None or value == "":
        return now
    at = _moment(str(value).strip())
    if at is None:
        return BadLine(row.number, f"{column} must be an ISO 8601 time, not {value!r}")
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        return BadLine(row.number, f"{column} must be a time of the years {_FIRST_YEAR} to {_LAST_YEAR}, not {value!r}")
    return at if at.tzinfo else at.replace(tzinfo=now.tzinfo)


def _moment(written: str) -> datetime | None:
    """A time in ISO 8601, with or without the word UTC, or counted from 1970; None for anything else."""
    counted = _SINCE_1970.fullmatch(written)
    if counted:
        return datetime.fromtimestamp(int(counted[1]), UTC)
    try:
        return datetime.fromisoformat(re.sub(r"\s*(?:UTC|GMT)$", "+00:00", written))
    except ValueError:
        return None
