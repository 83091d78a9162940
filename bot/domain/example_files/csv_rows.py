"""CSV as rows: finds the separator, and what a stray quote has swallowed."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from bot.domain.example_files.columns import how_many_known
from bot.domain.example_files.encodings import undecodable
from bot.domain.example_files.formulas import armed
from bot.domain.example_files.rows import BadLine, Line, Recognised, Row, own
from bot.domain.example_files.text_lines import text_lines
from bot.domain.plural import counted

_SEPARATORS = ",;\t|"
TITLES = 10
"""Lines that may be above a header: the name of the report, its date."""
_NONE = "\x1f"
"""A separator that never occurs: in a file with one column a comma is a comma."""
_RULE = re.compile(r"\s*(?::?-{3,}:?)?\s*")
"""A cell of the line between header and rows, as in tables of Markdown and consoles."""
csv.field_size_limit(2**31 - 1)


def read_csv(text: str, recognised: Recognised) -> Iterator[Line]:
    """Every row below the header, in order. A blank line, or one of empty cells alone, is no row."""
    lines = list(text_lines(text))
    start = next((place for place, line in enumerate(lines) if line.strip()), len(lines))
    if start == len(lines):
        return
    named = _named_separator(lines[start])
    if named is not None:
        start += 1
    else:
        start = _header(lines, start)
    if start == len(lines):
        return
    sheet = _Sheet(lines, named or _separator(lines[start]), recognised)
    yield from _best(sheet, start).rows(start)


def _best(sheet: "_Sheet", start: int) -> "_Sheet":
    """The way to read quotes that makes the fewest lines bad: the usual one, unless another is better."""
    others = []
    if any('\\"' in line for line in sheet.lines):
        others.append(replace(sheet, quotes=_Quotes.ESCAPED))
    if sheet.separator == "\t" and any('"' in line for line in sheet.lines):
        others.append(replace(sheet, quotes=_Quotes.LITERAL))
    return min((sheet, *others), key=lambda one: _faults(one, start)) if others else sheet


def _faults(sheet: "_Sheet", start: int) -> int:
    return sum(isinstance(row, BadLine) for row in sheet.rows(start))


def _named_separator(line: str) -> str | None:
    """The separator that a first line `sep=;` names, which Excel understands and some programs write."""
    name, equals, separator = line.rstrip("\r\n").partition("=")
    return separator if (name.strip('" \t').lower(), equals) == ("sep", "=") and len(separator) == 1 else None


def _header(lines: Sequence[str], start: int) -> int:
    """The line with the names: the first, unless it has none that we know and one soon below it has several."""
    below = range(start, min(start + TITLES, len(lines)))
    known = {place: how_many_known(_fields(lines[place], _separator(lines[place]))) for place in below}
    return start if known[start] else next((place for place in below if known[place] > 1), start)


def _separator(header: str) -> str:
    """The separator with which the header has the most names that we know, then the most names."""

    def names(separator: str) -> tuple[int, int]:
        fields = _fields(header, separator)
        return how_many_known(fields), len(fields)

    best = max(_SEPARATORS, key=names)
    return best if names(best)[1] > 1 else _NONE


def _fields(line: str, separator: str) -> list[str]:
    """The cells of one line on its own; empty if it cannot be parsed."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return []


@dataclass(frozen=True, slots=True)
class _Record:
    """Cells and the lines they were in; no cells if a quote is out of place."""

    first: int
    last: int
    cells: Sequence[str] | None


class _Quotes(Enum):
    """How a quote inside a quoted cell is written."""

    TWICE = auto()
    ESCAPED = auto()
    """With a backslash, as databases write it."""
    LITERAL = auto()
    """There are no quoted cells: a quote is an ordinary character, as in many files with tabs."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A file's lines, and how they are cut into cells."""

    lines: Sequence[str]
    separator: str
    recognised: Recognised
    quotes: _Quotes = _Quotes.TWICE

    def rows(self, start: int) -> Iterator[Line]:
        """The first record has the names; each of the others becomes a row, a complaint, or nothing."""
        names = self._unnamed(start)
        place, swallowed = start, -1
        while place < len(self.lines):
            record = self._record(place)
            if not names:
                names = [name.strip() for name in record.cells or _fields(self.lines[place], self.separator)]
                place = record.last + 1 if record.cells else place + 1
                continue
            row = self._row(record, names, record.first <= swallowed)
            if isinstance(row, _Stray):
                swallowed, place = max(swallowed, record.last), record.first
                row = row.complaint
            else:
                place = record.last
            place += 1
            if row:
                yield row

    def _unnamed(self, start: int) -> list[str]:
        """Names for the columns of a file that begins with a row: it has no name that we know, but a label."""
        cells = self._record(start).cells or ()
        begins = len(cells) > 1 and not how_many_known(cells) and any(map(self.recognised, cells))
        return [f"column {number}" for number in range(1, len(cells) + 1)] if begins else []

    def _record(self, first: int) -> _Record:
        """The record that begins in this line."""
        rest = (self.lines[place] for place in range(first, len(self.lines)))
        escaped = self.quotes is _Quotes.ESCAPED
        reader = csv.reader(
            rest,
            delimiter=self.separator,
            strict=True,
            escapechar="\\" if escaped else None,
            doublequote=not escaped,
            quoting=csv.QUOTE_NONE if self.quotes is _Quotes.LITERAL else csv.QUOTE_MINIMAL,
            skipinitialspace=self.separator != "\t",
        )
        try:
            cells: Sequence[str] | None = next(reader)
        except csv.Error:
            cells = None
        return _Record(first, first + reader.line_num - 1, cells)

    def _row(self, record: _Record, names: Sequence[str], swallowed: bool) -> "Line | _Stray | None":
        first, last, cells = record.first, record.last, record.cells
        wrong = undecodable("".join(self.lines[first : last + 1]))
        odd = swallowed and self.lines[first].count('"') % 2 == 1
        if cells is None or self._took_rows_along(record, names):
            return _Stray(BadLine(first + 1, _opened(last - first)))
        if wrong:
            return BadLine(first + 1, wrong)
        if odd:
            return BadLine(first + 1, 'a quote (") ends here that began in an earlier line')
        while len(cells) > len(names) and not cells[-1].strip():
            cells = cells[:-1]
        if len(cells) > len(names):
            what = f"{len(cells)} fields where the header has {len(names)}"
            return BadLine(first + 1, f"{what}; a text with {_shown(self.separator)} in it belongs in quotes")
        if not any(cell.strip() for cell in cells) or all(_RULE.fullmatch(cell) for cell in cells):
            return None
        return keyed(first + 1, names, cells)

    def _took_rows_along(self, record: _Record, names: Sequence[str]) -> bool:
        """Whether a quoted cell swallowed rows: it has only rows in it, or any where the cells do not fit the names."""
        inside = self.lines[record.first + 1 : record.last + 1]
        if not inside:
            return False
        alone = [self._is_row(line, names) for line in inside]
        if record.cells is not None and len(record.cells) == len(names):
            return all(alone) and self._is_row(self.lines[record.first].replace('"', "", 1), names)
        return any(alone)

    def _is_row(self, line: str, names: Sequence[str]) -> bool:
        """Whether the line on its own is a row with a label that we know."""
        cells = _fields(line, self.separator)
        return len(cells) == len(names) > 1 and any(map(self.recognised, cells))


@dataclass(frozen=True, slots=True)
class _Stray:
    """A quote that is out of place: only its own line is given up, and reading goes on in the next."""

    complaint: BadLine


def _opened(more: int) -> str:
    along = f"; read on, it would take {counted(more, 'more line')} along" if more else ""
    return f'a quote (") is out of place here{along}; write it twice inside a quoted text, or take it away'


def _shown(separator: str) -> str:
    return {"\t": "a tab", ",": "a comma", ";": "a semicolon"}.get(separator, repr(separator))


def keyed(number: int, names: Sequence[str], cells: Sequence[str]) -> Row:
    """Cells by name; of two columns with one name the first non-empty cell counts. Missing cells are empty."""
    fields: dict[str, object] = {}
    for name, cell in zip(names, [*cells, *[""] * (len(names) - len(cells))], strict=True):
        if name and not fields.get(name):
            fields[name] = armed(cell)
    return Row(number, fields, own(fields))
