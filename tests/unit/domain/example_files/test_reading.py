"""Sides, markup, contradictions, and files that hold no rows."""

import gzip
import io
import zipfile

import pytest

from bot.domain.errors import UsageError
from bot.domain.example_files.contradictions import settled
from bot.domain.example_files.html_text import as_text, is_html
from bot.domain.example_files.reading import ReadOptions, Text, read_texts
from bot.domain.learning import Side, side_of
from tests.samples import TASK
from tests.unit.domain.example_files.readers import only, pairs, problems, read


@pytest.mark.parametrize(
    ("name", "side"),
    [(n, Side.TRAIN) for n in ("train", "Training", "TRAIN ")]
    + [
        (n, Side.HELD_OUT)
        for n in "test testing valid validation val dev eval evaluation held-out heldout held_out hold-out".split()
    ],
)
def test_names_of_sides_that_others_use(name: str, side: Side) -> None:
    assert only(read(f"text,label,split\na,it,{name}\n")).side is side


def test_a_missing_split_follows_from_the_text() -> None:
    assert only(read("text,label,split\na b,it,\n")).side is side_of("a b")


def test_an_empty_file_and_a_header_alone_have_no_examples() -> None:
    assert read("").examples == read("text,label\n").examples == []


def test_something_else_altogether_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="no column is called text"):
        read("Dear all,\nplease find\nattached\n")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"%PDF-1.7\n", "a PDF; export"),
        (b"PAR1\x15\x04", "a Parquet file; write it as CSV"),
        (b"SQLite format 3\x00", "a SQLite database"),
        (b"PGDMP\x01", "switchboard restore"),
        (b"\x28\xb5\x2f\xfd\x00", "unpack it first"),
        (b"\n<!DOCTYPE html><html>", "a web page; it may be the login page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "XML"),
        (b"{\\rtf1\\ansi", "an RTF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "save the table as CSV"),
    ],
)
def test_what_holds_no_rows_is_named_with_what_would_help(data: bytes, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(data)
    assert what in str(caught.value)


# --- markup ---


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hello,</p><p>my <b>VPN</b> is&nbsp;down</p>", "Hello,\nmy VPN is down"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<style>p {x}</style><div>seen<script>alert(1)</script></div>", "seen"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("Fish &amp; chips", "Fish & chips"),
        ("&lt;p&gt;Hello&amp;nbsp;you&lt;/p&gt;&lt;style&gt;x&lt;/style&gt;", "Hello you"),
        ("<p>a <![endif]--> <![CDATA[b]]> <![whatever]></p>c", "a --> b\nc"),
        ("<HTML><HEAD /><BODY>a<br /></BODY></HTML>", "a"),
        ("<html><head><title>t</title><body><![if mso]>b<![endif]><!-- c --><p>d</p>", "b\nd"),
        ("it&#39;s &lt;b&gt;", "it's <b>"),
    ],
)
def test_html_becomes_its_text(markup: str, text: str) -> None:
    assert is_html(markup)
    assert as_text(markup) == text
    quoted = markup.replace('"', '""')
    contents = read(f'body,team\n"{quoted}",it\n')
    assert only(contents).text == text
    assert "1 text held HTML, of which only the text is kept (--keep-html leaves it): line 2" in contents.said


@pytest.mark.parametrize("text", ["a < b and b > c", "if x<3 then", "R&D", "my <name> is", "AT&T; yes"])
def test_what_only_looks_like_html_stays(text: str) -> None:
    assert only(read(f"text,label\n{text},it\n")).text == text


def test_html_may_be_kept() -> None:
    assert only(read("text,label\na<br>b,it\n", ReadOptions(keep_html=True))).text == "a<br>b"


# --- one text, several labels ---


def test_one_text_with_two_labels_is_found_and_the_last_counts() -> None:
    contents = read("text,label\nReset!,it\nother,billing\nreset,billing\nreset,billing\n")
    kept, found = settled(contents.examples)
    assert [(one.text, one.label) for one in kept] == [("reset", "billing"), ("other", "billing")]
    [one] = found
    assert [number for number, _ in one.lines] == [2, 4, 5]
    assert (one.counts, str(one)) == (
        5,
        f"one text, two answers: line 2 says it ({side_of('reset').value}), line 4 says billing"
        f" ({side_of('reset').value}), line 5 says billing ({side_of('reset').value}); line 5 counts",
    )


def test_one_text_on_two_sides_is_found() -> None:
    _, found = settled(read("text,label,split\na,it,train\na,it,test\n").examples)
    assert [one.counts for one in found] == [3]


def test_what_says_the_same_twice_is_no_contradiction() -> None:
    kept, found = settled(read("text,label\na,it\nA!,it\n").examples)
    assert (len(kept), found) == (1, [])


def test_the_newest_counts_wherever_it_stands() -> None:
    kept, _ = settled(read("text,label,at\na,it,2026-01-02\na,billing,2026-01-01\n").examples)
    assert [one.label for one in kept] == ["it"]


def test_signs_make_three_texts() -> None:
    file = "text,label\nCannot build the C++ app,it\nCannot build the C# app,billing\nCannot build the C app,delivery\n"
    kept, found = settled(read(file).examples)
    assert (len(kept), found) == (3, [])


# --- texts without labels ---


def test_texts_need_no_label_and_are_shown_as_written() -> None:
    texts, said = read_texts(b'subject,team\n<b>Hi</b>  ,whoever\n"",x\n', TASK, ReadOptions())
    assert texts[0] == Text(2, "<b>Hi</b>  ", "Hi")
    assert [str(one) for one in texts[1:]] == ["line 3: text is missing or empty"]
    assert said[0] == "the text is read from 'subject'"


def test_one_column_may_hold_every_sign() -> None:
    texts, _ = read_texts(b"text\nhello, you; there\tand | here\n", TASK, ReadOptions())
    assert texts == [Text(2, "hello, you; there\tand | here", "hello, you; there\tand | here")]


# --- spreadsheets ---


def workbook(*rows: tuple[str | int | None, ...]) -> bytes:
    """A minimal xlsx file, as in the standard."""

    def cell(value: str | int | None) -> str:
        if value is None:
            return "<c/>"
        return f"<c><v>{value}</v></c>" if isinstance(value, int) else f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    sheet = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="a"'
        f' Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Tickets" sheetId="1"'
        ' r:id="b"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="b"'
        f' Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_spreadsheet_is_read() -> None:
    contents = read(workbook(("Number", "Subject", "Group"), (17, "Olá, não funciona", "IT"), (None, None, None)))
    assert pairs(contents) == [("Olá, não funciona", "it")]
    assert problems(contents) == []
    assert contents.said[0] == "read from the sheet 'Tickets'"


def test_an_archive_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="save the table as CSV"):
        read(b"PK\x03\x04" + gzip.compress(b"nothing"))
