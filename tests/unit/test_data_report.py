"""What `switchboard data` writes: a table for programs, JSON, one line for each example, and a page without text."""

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from bot.commands.data_report import say_figures, show_report, write_examples, write_page
from bot.domain.data_report import DataReport, report
from bot.domain.learning import Example, Side, Source
from tests.samples import NOW, TASK

WORDS = "Please help me cancel a transaction"


@pytest.fixture
def made() -> DataReport:
    examples = [
        Example(WORDS, "billing", Source.IMPORT, Side.TRAIN, NOW, origin="old.csv"),
        Example(f"{WORDS}!!, ok", "delivery", Source.CORRECTION, Side.HELD_OUT, NOW, 7),
        Example("write to a@b.org", "it", Source.TAP, Side.TRAIN, NOW, 8),
    ]
    return report(TASK, examples, lambda _: "en")


def test_the_table_on_stdout_has_a_line_a_label(made: DataReport, capsys: pytest.CaptureFixture[str]) -> None:
    out = StringIO()
    show_report(made, as_json=False, out=out)
    header, *rows = [line.split("\t") for line in out.getvalue().splitlines()]
    assert header[:5] == ["label", "train", "held-out", "correction", "confirmation"]
    assert [row[:4] for row in rows] == [
        ["billing", "1", "0", "0"],
        ["delivery", "0", "1", "1"],
        ["it", "1", "0", "0"],
        ["triage", "0", "0", "0"],
    ]
    said = capsys.readouterr()
    assert "nothing to learn from" in said.err and said.out == ""


def test_json_has_every_figure_and_no_text(made: DataReport) -> None:
    out = StringIO()
    show_report(made, as_json=True, out=out)
    figures = json.loads(out.getvalue())
    assert figures["contradicting"] == [{"labels": ["billing", "delivery"], "groups": 1}]
    assert (figures["leaked"], figures["judged"], figures["personal_data"]) == (1, 0, {"e-mail": 1})
    assert figures["findings"][0]["refused"] is True
    assert WORDS not in out.getvalue() and "a@b.org" not in out.getvalue()


def test_a_line_an_example_says_where_it_is_from_and_keeps_personal_data_back(made: DataReport, tmp_path: Path) -> None:
    write_examples(tmp_path / "rows.jsonl", made.rows)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text("utf-8").splitlines()]
    assert [(row["file"], row["conversation"], row["source"], row["side"]) for row in rows] == [
        ("old.csv", None, "import", "train"),
        (None, 7, "correction", "held-out"),
        (None, 8, "tap", "train"),
    ]
    assert [row["text"] for row in rows] == [WORDS, f"{WORDS}!!, ok", None]
    assert rows[0]["group"] == rows[1]["group"] != rows[2]["group"]
    assert rows[2]["personal_data"] == {"e-mail": 1}


def test_the_page_needs_nothing_else_and_escapes_what_people_named(made: DataReport, tmp_path: Path) -> None:
    odd = replace(made, task="<script>alert(1)</script>")
    write_page(tmp_path / "data.html", odd)
    page = (tmp_path / "data.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "") and "src=" not in page
    assert WORDS not in page and "a@b.org" not in page
    drawings = [page[at : page.index("</svg>", at) + 6] for at in range(len(page)) if page.startswith("<svg", at)]
    widths = [[float(width) for width in re.findall(r'<rect [^>]*width="([^"]+)"', drawing)] for drawing in drawings]
    assert widths[0] == [420.0, 0.0, 0.0, 420.0, 420.0, 0.0, 0.0, 0.0]


def test_people_hear_what_stands_in_no_row(made: DataReport, capsys: pytest.CaptureFixture[str]) -> None:
    say_figures(made)
    said = capsys.readouterr().err
    assert "0 judge, 1 are left out" in said and "e-mail 1" in said
