"""Tables as other programs write them: data frames, notebooks, spreadsheets, fastText."""

import io
import zipfile

import pytest

from bot.domain.example_files.reading import ReadOptions
from tests.unit.domain.example_files.readers import only, pairs, problems, read

BOTH = [("a", "it"), ("b", "billing")]


@pytest.mark.parametrize(
    "written",
    [
        '{"text": {"0": "a", "1": "b"}, "label": {"0": "it", "1": "billing"}}',
        '{"text": ["a", "b"], "label": ["it", "billing"]}',
        '{"columns": ["text", "label"], "index": [0, 1], "data": [["a", "it"], ["b", "billing"]]}',
        '{"schema": {"fields": []}, "data": [{"text": "a", "label": "it"}, {"text": "b", "label": "billing"}]}',
        "{'text': 'a', 'label': 'it', 'x': None}\n{'text': 'b', 'label': 'billing', 'y': True}\n",
        '[{"text": "a", "label": "it"}][{"text": "b", "label": "billing"}]',
        '[{"text": "a", "label": "it"},]\n[{"text": "b", "label": "billing"}]\n',
        '\ufeff\n{"text": "a", "label": "it"}\n\n   \n{"text": "b", "label": "billing"}\n',
        '{"text": "a", "label": ["it"]}\n{"text": "b", "label": ["billing"]}\n',
        "__label__it a\n\n__label__billing b\n",
        "| text | label |\n|:---|---:|\n| a | it |\n| b | billing |\n",
        "text,label\ra,it\rb,billing\r",
        "text\tlabel\na\x00\tit\nb\tbilling\n",
    ],
)
def test_it_is_read(written: str) -> None:
    contents = read(written)
    assert (pairs(contents), problems(contents)) == (BOTH, [])


def test_what_is_not_there_is_written_as_no_number() -> None:
    contents = read(
        '{"text": "a", "label": NaN}\n{"text": NaN, "label": "it"}\n'
        '{"text": "b", "label": "it", "split": NaN, "score": Infinity}\n'
    )
    assert problems(contents) == ["line 1: label is missing", "line 2: text is missing or empty"]
    assert pairs(contents) == [("b", "it")]


@pytest.mark.parametrize(
    "written",
    [
        "text,label\na,1\nb,2\n",
        "text,label\na,1.0\nb,2.0\n",
        '{"text": "a", "label": 1}\n{"text": "b", "label": 2.0}\n',
    ],
)
def test_labels_may_be_numbers(written: str) -> None:
    contents = read(written, ReadOptions(mapped={"1": "it", "2": "billing"}))
    assert (pairs(contents), problems(contents)) == (BOTH, [])


@pytest.mark.parametrize(
    "written",
    ["text,label\na,TRUE\nb,False\n", '{"text": "a", "label": true}\n{"text": "b", "label": false}\n'],
)
def test_labels_may_be_true_or_false(written: str) -> None:
    contents = read(written, ReadOptions(mapped={"true": "it", "false": "billing"}))
    assert (pairs(contents), problems(contents)) == (BOTH, [])


@pytest.mark.parametrize(
    ("at", "utc"),
    [
        ('"2025-11-24 10:00:00 UTC"', "2025-11-24T10:00:00+00:00"),
        ('"2025-11-24T10:00:00.123456789Z"', "2025-11-24T10:00:00.123456+00:00"),
        ("1763978400", "2025-11-24T10:00:00+00:00"),
        ("1763978400000", "2025-11-24T10:00:00+00:00"),
        ('"1763978400.5"', "2025-11-24T10:00:00+00:00"),
    ],
)
def test_times_as_programs_count_them(at: str, utc: str) -> None:
    assert only(read(f'{{"text": "a", "label": "it", "at": {at}}}\n')).at.isoformat() == utc


def test_a_number_of_thousands_of_digits_that_nobody_reads_is_no_fault() -> None:
    assert only(read(f'{{"text": "a", "label": "it", "id": {"9" * 5_000}}}\n')).text == "a"


def test_a_text_beyond_pythons_limit_of_a_cell_is_read() -> None:
    assert len(only(read(f'text,label\n"{"x" * 200_000}",it\n')).text) == 40_000


def test_a_picture_in_a_cell_is_read_in_one_go() -> None:
    """A word without an end, in ASCII and in letters of Windows: it is searched only once."""
    picture = "data:image/png;base64," + "iVBORw0KGgo+AAAA/" * 12_000
    assert len(only(read(f'text,label\n"{picture}",it\n')).text) == 40_000
    contents = read(f'text,label\n"{picture}",it\n"o relógio não funciona",it\n'.encode("cp1252"))
    assert [len(text) for text, _ in pairs(contents)] == [40_000, len("o relógio não funciona")]


def test_several_labels_of_one_text_are_said() -> None:
    contents = read("__label__it __label__billing a\n__label__it\n__label__it b\n")
    assert problems(contents) == [
        "line 1: several labels, of which one alone could be learned",
        "line 2: not a line of the form __label__team text",
    ]


# --- spreadsheets ---

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def _workbook(sheets: dict[str, str]) -> bytes:
    """An xlsx file of these sheets, each as its XML."""
    numbered = list(enumerate(sheets.items(), start=1))
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, (name, _) in numbered)
    related = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in numbered
    )
    files = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="a"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
        **{f"xl/worksheets/sheet{n}.xml": f'<worksheet xmlns="{_MAIN}">{xml}</worksheet>' for n, (_, xml) in numbered},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _rows(*rows: tuple[str, ...]) -> str:
    """Cells as they are in the XML, where they are no shared strings."""

    def cell(row: int, column: int, value: str) -> str:
        at = f"{'ABCDEFG'[column]}{row}"
        return value.replace("<c", f'<c r="{at}"') if value.startswith("<c") else _words(at, value)

    filled = [
        f'<row r="{n}">{"".join(cell(n, column, value) for column, value in enumerate(row) if value)}</row>'
        for n, row in enumerate(rows, start=1)
    ]
    return f"<sheetData>{''.join(filled)}</sheetData>"


def _words(at: str, value: str) -> str:
    return f'<c r="{at}" t="inlineStr"><is><t>{value}</t></is></c>'


def test_the_sheet_with_the_table_is_read_whichever_it_is() -> None:
    contents = read(_workbook({"Info": _rows(("Exported by", "Ann")), "Data": _rows(("text", "label"), ("a", "it"))}))
    assert pairs(contents) == [("a", "it")]
    assert contents.said[0] == "read from the sheet 'Data'; not read: 'Info'"


def test_titles_stand_above_the_header_of_a_sheet() -> None:
    table = _rows(
        ("Tickets of November",), ("",), ("text", "label", "text"), ("a", "it", "not this"), ("", "billing", "b")
    )
    assert pairs(read(_workbook({"Data": table}))) == BOTH


def test_joined_cells_hold_what_they_show() -> None:
    table = _rows(("text", "label"), ("a", "it"), ("b", ""), ("c", "billing"))
    merged = f'{table}<mergeCells count="1"><mergeCell ref="B2:B3"/></mergeCells>'
    assert pairs(read(_workbook({"Data": merged}))) == [("a", "it"), ("b", "it"), ("c", "billing")]


def test_formulas_truth_values_and_numbers_are_what_they_show() -> None:
    shown = '<c t="str"><f>CONCATENATE("my ","VPN")</f><v>my VPN</v></c>'
    table = _rows(("text", "label"), (shown, '<c t="b"><v>1</v></c>'), ("b", "<c><v>2</v></c>"))
    contents = read(_workbook({"Data": table}), ReadOptions(mapped={"true": "it", "2": "billing"}))
    assert (pairs(contents), problems(contents)) == ([("my VPN", "it"), ("b", "billing")], [])
