"""Commands that read files: their output, and their exit codes, before any database is opened."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.commands.examples import labelled, ready_to_import, texts_to_route
from bot.domain.errors import UsageError
from bot.domain.example_files.reading import ReadOptions
from tests.samples import TASK
from tests.unit.test_commands import SETTINGS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings, in which commands are run."""
    (tmp_path / "switchboard.toml").write_text(SETTINGS, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWITCHBOARD_CONFIG", raising=False)
    return tmp_path


def does(*arguments: str, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=given)


def test_a_preview_shows_what_would_be_stored(home: Path) -> None:
    rows = 'subject;description;assignment_group\nVPN;"<p>down &amp; out</p>";Billing\nMy card;lost;Level 1\n;;\n'
    home.joinpath("rows.csv").write_bytes(rows.encode())
    done = does("import", "rows.csv", "--dry-run", "--map", "Level 1=triage")
    assert (done.exit_code, done.stdout) == (0, "")
    for sentence in (
        "rows.csv: the text is read from 'subject' and 'description', the label from 'assignment_group'",
        "rows.csv: 1 text held HTML, of which only the text is kept (--keep-html leaves it): line 2",
        "label 'Billing' is read as billing (1 row)",
        "label 'Level 1' is read as triage (1 row)",
        "rows.csv would add up to 2 examples",
        "  billing: VPN down & out",
        "nothing was stored; leave out --dry-run to import it",
    ):
        assert sentence in done.stderr
    assert not home.joinpath("var").exists()


def test_columns_may_be_named(home: Path) -> None:
    home.joinpath("rows.csv").write_bytes("Betreff|Frage|Gruppe\nA|B|billing\n".encode("cp1252"))
    done = does(
        "import", "rows.csv", "--dry-run", "--text", "betreff,frage", "--label", "gruppe", "--encoding", "cp1252"
    )
    assert "  billing: A B" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("import", "nothing.csv"), "nothing.csv: there is no such file"),
        (("import", "."), ". is a folder; name a file in it"),
        (("import", "empty.csv"), "empty.csv is empty"),
        (("import", "header.csv"), "header.csv holds no rows; nothing was imported"),
        (("import", "bad.csv"), "bad.csv: line 2: unknown label 'biling'"),
        (("import", "bad.csv"), "1 bad line, nothing was imported; mend them, or keep the rest with --skip-bad"),
        (("import", "twice.csv", "--strict"), "1 text has two answers; nothing was imported, because of --strict"),
        (("import", "header.csv", "--encoding", "klingon"), "--encoding klingon: there is no such encoding"),
        (("import", "header.csv", "--map", "Level 1"), "--map 'Level 1' maps nothing"),
        (("evaluate", "empty.csv"), "empty.csv is empty"),
        (("evaluate", "header.csv"), "header.csv holds no examples; nothing was judged"),
        (("evaluate", "bad.csv"), "bad.csv: line 2: unknown label 'biling'"),
        (("route", "--file", "empty.csv"), "empty.csv is empty"),
        (("route", "--file", "header.csv"), "header.csv holds no texts; nothing was routed"),
        (("route", "--file", "nothing.csv"), "nothing.csv: there is no such file"),
        (("route",), 'give either a text or --file: switchboard route "where is my parcel?"'),
        (("route", "--file", "-"), "- is empty"),
    ],
)
def test_what_cannot_be_done_is_said_and_ends_with_2(home: Path, arguments: tuple[str, ...], problem: str) -> None:
    for name, content in {
        "empty.csv": "\n",
        "header.csv": "text,label\n",
        "bad.csv": "text,label\na,biling\n",
        "twice.csv": "text,label\na,billing\nA!,triage\n",
    }.items():
        home.joinpath(name).write_text(content, "utf-8")
    done = does(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert problem in done.stderr
    assert not home.joinpath("var").exists()


def test_two_labels_of_one_text_are_said_and_the_last_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "twice.csv"
    file.write_text("text,label\na,it\nb,it\nA!,billing\n", "utf-8")
    ready = ready_to_import(file, TASK, ReadOptions(), skip_bad=False, strict=False)
    assert [(one.text, one.label) for one in ready.examples] == [("A!", "billing"), ("b", "it")]
    assert ready.rows == 3
    said = capsys.readouterr().err
    assert "one text, two answers: line 2 says it" in said
    assert "1 text has two answers; --strict refuses such a file" in said


def test_evaluation_takes_the_test_rows_where_there_are_any(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label,split\na,it,train\nb,it,Test\nc,it,valid\n", "utf-8")
    assert [one.text for one in labelled(file, TASK, ReadOptions(), skip_bad=False)] == ["b"]
    file.write_text("text,label,split\na,it,train\nc,it,valid\nd,its,valid\n", "utf-8")
    assert [one.text for one in labelled(file, TASK, ReadOptions(), skip_bad=True)] == ["a", "c"]
    with pytest.raises(UsageError, match="line 4: unknown label 'its'"):
        labelled(file, TASK, ReadOptions(), skip_bad=False)


def test_texts_are_routed_out_of_a_packed_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(gzip.compress(b'{"message": "a"}\n{"message": "b"}\n'))
    assert [str(getattr(one, "text", one)) for one in texts_to_route(file, TASK, ReadOptions())] == ["a", "b"]


@pytest.mark.parametrize(
    "shell",
    [
        "$SWITCHBOARD import --dry-run <(zcat rows.csv.gz)",
        "zcat rows.csv.gz | $SWITCHBOARD import --dry-run -",
        "zcat rows.csv.gz | $SWITCHBOARD import --dry-run /dev/stdin",
        "$SWITCHBOARD import --dry-run /dev/stdin < rows.csv.gz",
        "mkfifo pipe; (cat rows.csv.gz > pipe &) ; $SWITCHBOARD import --dry-run pipe",
    ],
)
def test_what_a_shell_hands_over_is_read_once(home: Path, shell: str) -> None:
    home.joinpath("rows.csv.gz").write_bytes(gzip.compress(b"text,label\nwhere is it?,billing\n"))
    done = subprocess.run(
        ["bash", "-c", shell],
        env=os.environ | {"SWITCHBOARD": f"{sys.executable} -m bot.cli", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "would add up to 1 example" in done.stderr
