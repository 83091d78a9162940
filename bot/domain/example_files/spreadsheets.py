"""Spreadsheets (xlsx, xls, xlsb, ods) as rows."""

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from bot.domain.errors import UsageError
from bot.domain.example_files.columns import how_many_known
from bot.domain.example_files.csv_rows import TITLES, keyed
from bot.domain.example_files.rows import Line
from bot.domain.example_files.spreadsheet_extent import refuse_far_cells

_BEGIN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def is_spreadsheet(data: bytes) -> bool:
    """Whether it may be a spreadsheet; opening it tells what it really is."""
    return data.startswith(_BEGIN)


def read_spreadsheet(data: bytes) -> tuple[list[Line], str]:
    """(the rows of its first sheet with any, a sentence for the person). Raises UsageError for anything else."""
    refuse_far_cells(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        filled = [(name, rows) for name in book.sheet_names if (rows := _cells(book.get_sheet_by_name(name)))]
    except CalamineError as error:
        raise UsageError("this is an archive or an office document without a table; save the table as CSV") from error
    if not filled:
        return [], "the spreadsheet is empty"
    name, rows = max(filled, key=lambda sheet: _names_known(sheet[1]))
    unread = [repr(other) for other, _ in filled if other != name]
    others = f"; not read: {', '.join(unread)}" if unread else ""
    return list(_rows(rows)), f"read from the sheet {name!r}{others}"


def _cells(sheet: CalamineSheet) -> list[list[object]]:
    """All cells from the first; merged cells each hold the value of the whole."""
    rows: list[list[object]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        for row in rows[top : bottom + 1]:
            row[left : right + 1] = [rows[top][left]] * len(row[left : right + 1])
    return rows


def _names_known(cells: Sequence[Sequence[object]]) -> int:
    """How many columns of a sheet have names that we know; the sheet with the most is read, of equals the first."""
    written = [[_text(cell) for cell in row] for row in cells[: 2 * TITLES]]
    filled = [row for row in written if any(cell.strip() for cell in row)]
    return max((how_many_known(row) for row in filled[:TITLES]), default=0)


def _rows(cells: Sequence[Sequence[object]]) -> Iterator[Line]:
    numbered = [(number, [_text(cell) for cell in row]) for number, row in enumerate(cells, start=1)]
    filled = [(number, row) for number, row in numbered if any(cell.strip() for cell in row)]
    if not filled:
        return
    header = _header([row for _, row in filled])
    names = [name.strip() for name in filled[header][1]]
    for number, row in filled[header + 1 :]:
        yield keyed(number, names, row[: len(names)])


def _header(rows: Sequence[Sequence[str]]) -> int:
    """The row with the names: the first, unless it has none that we know and one soon below it has several."""
    known = [how_many_known(row) for row in rows[:TITLES]]
    return 0 if known[0] else next((place for place, names in enumerate(known) if names > 1), 0)


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return str(cell).upper()
    return cell.isoformat() if isinstance(cell, datetime | date | time) else str(cell)
