"""Checks how far the cells of a spreadsheet reach before it is read: the reader allocates every cell up to the last.

One character in the last row of the last column, by mistake or on purpose, makes a file of 1 kB a table of 17 billion
cells, which no memory can hold.
"""

import io
import re
import zipfile

from bot.domain.errors import UsageError

MOST_CELLS = 20_000_000
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.I)
_AT = re.compile(rb"""<(?:\w+:)?(?:c|row)\b[^>]*?\sr=["']([A-Za-z]{0,3})([0-9]{1,9})["']""")
_CHUNK, _OVERLAP = 1 << 22, 1 << 10


def refuse_far_cells(data: bytes) -> None:
    """Raises UsageError when a sheet of an xlsx file spans more than `MOST_CELLS`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in filter(_SHEET.fullmatch, archive.namelist()):
                _refuse(archive, name)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
        return  # the reader reports what is wrong with the file


def _refuse(archive: zipfile.ZipFile, name: str) -> None:
    rows, columns, rest = 1, 1, b""
    with archive.open(name) as sheet:
        while chunk := sheet.read(_CHUNK):
            for column, row in _AT.findall(rest + chunk):
                rows, columns = max(rows, int(row)), max(columns, _number(column))
            if rows * columns > MOST_CELLS:
                raise UsageError(
                    f"a cell of this spreadsheet stands in row {rows} and one in column {columns}, far away from the "
                    "others; delete what is there, or save the table as CSV"
                )
            rest = chunk[-_OVERLAP:]


def _number(column: bytes) -> int:
    """The number of a column: A is 1, Z 26, AA 27; 0 for an empty name."""
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - ord("A") + 1
    return number
