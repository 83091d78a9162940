"""A cell far from all others does not make the reader use all of the machine's memory."""

import io
import zipfile

import pytest

from bot.domain.errors import UsageError
from tests.unit.domain.example_files.readers import pairs, read

_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = f'''<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>'''
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_BOOK = f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>'
_LINK = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_ROWS = (("A1", "text"), ("B1", "label"), ("A2", "hello"), ("B2", "it"))


def _sheet(*cells: tuple[str, str]) -> bytes:
    """An xlsx file of these cells, in the given order."""
    lines = ""
    for at, what in cells:
        row = at.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        lines += f'<row r="{row}"><c r="{at}" t="inlineStr"><is><t>{what}</t></is></c></row>'
    link = '<Relationship Id="r1" Type="{}/{}" Target="{}"/>'
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _LINK.format(link.format(_OFFICE, "officeDocument", "xl/workbook.xml")))
        archive.writestr("xl/workbook.xml", _BOOK)
        sheet = link.format(_OFFICE, "worksheet", "worksheets/sheet1.xml")
        archive.writestr("xl/_rels/workbook.xml.rels", _LINK.format(sheet))
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {_MAIN}><sheetData>{lines}</sheetData></worksheet>")
    return whole.getvalue()


@pytest.mark.parametrize("far", ["B3", "Z900"])
def test_a_table_may_have_room_in_it(far: str) -> None:
    assert pairs(read(_sheet(*_ROWS, (far, "x")))) == [("hello", "it")]


@pytest.mark.parametrize("far", ["XFD1048576", "CV300000", "XFD1300"])
def test_a_cell_far_away_is_named(far: str) -> None:
    with pytest.raises(UsageError, match="far away from the others"):
        read(_sheet(*_ROWS, (far, "x")))


def test_the_farthest_row_and_the_farthest_column_may_be_of_two_cells() -> None:
    with pytest.raises(UsageError, match="row 1048576 and one in column 16384"):
        read(_sheet(*_ROWS, ("XFD3", "x"), ("A1048576", "x")))
