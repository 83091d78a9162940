"""Spreadsheets (xlsx, xls, xlsb, ods) as rows."""

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from python_calamine import CalamineError, CalamineWorkbook

from bot.domain.errors import UsageError
from bot.domain.example_files.formulas import armed
from bot.domain.example_files.rows import Line, Row, own

_BEGIN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def is_spreadsheet(data: bytes) -> bool:
    """Whether it may be one: what it really is shows when it is opened."""
    return data.startswith(_BEGIN)


def read_spreadsheet(data: bytes) -> tuple[list[Line], str]:
    """(the rows of its first sheet with any, a sentence for the person). Raises UsageError for anything else."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        filled = [(name, rows) for name in book.sheet_names if (rows := book.get_sheet_by_name(name).to_python(False))]
    except CalamineError as error:
        raise UsageError("this is an archive or an office document without a table; save the table as CSV") from error
    if not filled:
        return [], "the spreadsheet is empty"
    name, rows = filled[0]
    others = f"; {len(filled) - 1} other sheets are not read" if len(filled) > 1 else ""
    return list(_rows(rows)), f"read from the sheet {name!r}{others}"


def _rows(cells: Sequence[Sequence[object]]) -> Iterator[Line]:
    numbered = [(number, [_text(cell) for cell in row]) for number, row in enumerate(cells, start=1)]
    filled = [(number, row) for number, row in numbered if any(cell.strip() for cell in row)]
    if not filled:
        return
    names = [name.strip() for name in filled[0][1]]
    for number, row in filled[1:]:
        fields: dict[str, object] = {name: armed(cell) for name, cell in zip(names, row, strict=False) if name}
        yield Row(number, fields, own(fields))


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, datetime | date) else str(cell)
