"""Files are read once, whatever they are, and written completely or not at all."""

import bz2
import gzip
import io
import lzma
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import files
from bot.cli import cli
from bot.demo import company
from bot.domain.errors import UsageError
from bot.files import check_writable, read_whole, write_whole, writing


def left(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# --- reading ---


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_packed_or_not_and_whatever_it_is_called(tmp_path: Path, pack: type[bytes]) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(pack(b"text,label\na,it\n"))
    assert read_whole(file) == b"text,label\na,it\n"


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "text\n")
    return out.getvalue()


def test_the_only_file_of_a_zip_archive(tmp_path: Path) -> None:
    file = tmp_path / "rows.zip"
    file.write_bytes(zipped("data/rows.csv", "__MACOSX/._rows.csv"))
    assert read_whole(file) == b"text\n"
    file.write_bytes(zipped("a.csv", "b.csv"))
    with pytest.raises(UsageError, match="holds 2 files; unpack it and name one of them"):
        read_whole(file)
    file.write_bytes(zipped("[Content_Types].xml", "xl/workbook.xml"))
    assert read_whole(file).startswith(b"PK")


def _zipped(data: bytes, name: str = "rows.csv") -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return whole.getvalue()


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, lzma.compress, _zipped, lambda data: _zipped(data, "[Content_Types].xml")],
    ids=["gzip", "bzip2", "xz", "zip", "spreadsheet"],
)
def test_what_unpacks_to_more_than_memory_holds_is_not_unpacked(
    pack: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_UNPACKED", 1 << 20)
    file = tmp_path / "bomb"
    file.write_bytes(pack(bytes(1 << 20)))
    assert len(read_whole(file)) <= 1 << 20
    file.write_bytes(pack(bytes((1 << 20) + 1)))
    with pytest.raises(UsageError, match="unpacks to more than 1 MB"):
        read_whole(file)


def test_an_archive_that_breaks_off(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    file.write_bytes(gzip.compress(b"text,label\n" * 99)[:-9])
    with pytest.raises(UsageError, match="is a broken archive"):
        read_whole(file)


def test_a_pipe_is_read_once_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"text\n" * 50_000,), name="the other end")
    writer.start()
    assert read_whole(pipe) == b"text\n" * 50_000
    writer.join()


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"text\n"))))
    assert read_whole(Path(name)) == b"text\n"


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; name a file in it"):
        read_whole(tmp_path)
    with pytest.raises(UsageError, match="there is no such file"):
        read_whole(tmp_path / "nothing")
    tmp_path.joinpath("file").touch()
    with pytest.raises(UsageError, match=r"cannot be read \(Not a directory\)"):
        read_whole(tmp_path / "file" / "inside")


# --- writing ---


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text("before", "utf-8")
    file.chmod(0o640)
    with writing(file) as out:
        out.write("né\r\n")
        out.flush()
        assert file.read_text("utf-8") == "before"
    assert file.read_bytes() == "né\r\n".encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert left(tmp_path) == ["out.jsonl"]


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    for before in ([], ["out.jsonl"]):
        with pytest.raises(ZeroDivisionError), writing(file) as out:
            out.write(f"half {1 // 0}")
        assert left(tmp_path) == before
        file.write_text("before", "utf-8")
    assert file.read_text("utf-8") == "before"


def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(tmp_path: Path) -> None:
    """`/dev/full` answers every byte as a full disk does."""
    with pytest.raises(UsageError, match=r"cannot be written \(No space left on device\); nothing was changed"):
        write_whole(Path("/dev/full"), "x")


def test_where_nothing_can_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*nodir; make it first"):
        write_whole(tmp_path / "nodir" / "x.jsonl", "x")
    with pytest.raises(UsageError, match="is a folder; name a file in it"):
        write_whole(tmp_path, "x")
    with pytest.raises(UsageError, match=r"\. is a folder"):
        write_whole(Path(), "x")
    tmp_path.joinpath("file").touch()
    with pytest.raises(UsageError, match=r"cannot be written \(Not a directory\)"):
        write_whole(tmp_path / "file" / "x", "x")
    assert left(tmp_path) == ["file"]


def test_before_long_work_it_is_known_whether_its_outcome_can_be_written(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("before", "utf-8")
    for fine in (None, Path("-"), Path("/dev/null"), kept, tmp_path / "new.html"):
        check_writable(fine)
    with pytest.raises(UsageError, match=r"there is no folder .*nodir; make it first"):
        check_writable(tmp_path / "nodir" / "x.html")
    with pytest.raises(UsageError, match="is a folder; name a file in it"):
        check_writable(tmp_path)
    with pytest.raises(UsageError, match=r"cannot be written \(Not a directory\)"):
        check_writable(kept / "x.html")
    assert (left(tmp_path), kept.read_text("utf-8")) == (["kept"], "before")


@pytest.mark.parametrize(
    "flags", [["compare", "--since", "30d", "--html"], ["curve", "--html"], ["evaluate", "rows.jsonl", "--rows"]]
)
def test_what_cannot_be_written_ends_the_command_before_anything_slow(flags: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, [*flags, str(tmp_path / "nodir" / "out"), "--config", str(company.SETTINGS)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "nodir; make it first" in " ".join(done.stderr.split())


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    tmp_path.joinpath("link").symlink_to("real")
    write_whole(tmp_path / "link", "x")
    assert tmp_path.joinpath("link").is_symlink()
    assert tmp_path.joinpath("real").read_text("utf-8") == "x"


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    file = tmp_path / ("x" * 255)
    write_whole(file, "x")
    assert file.read_text("utf-8") == "x"


def test_a_pipe_is_written_straight_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text("utf-8")), name="the other end")
    reader.start()
    write_whole(pipe, "x")
    reader.join()
    assert heard == ["x"]
    assert left(tmp_path) == ["pipe"]


def test_a_packed_file_and_a_marked_one(tmp_path: Path) -> None:
    packed = tmp_path / "out.csv.gz"
    with writing(packed, mark=True) as out:
        out.write("é\n")
    assert gzip.decompress(packed.read_bytes()) == b"\xef\xbb\xbf\xc3\xa9\n"
    assert read_whole(packed) == b"\xef\xbb\xbf\xc3\xa9\n"


def test_standard_output_is_utf8_without_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, "latin-1"))
    for path in (None, Path("-")):
        with writing(path, mark=True) as out:
            out.write("né\n")
    assert raw.getvalue().decode() == "né\nné\n"


def test_standard_output_on_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115  it stands for standard output
    monkeypatch.setattr("sys.stdout", full)
    with (
        pytest.raises(UsageError, match=r"standard output cannot be written \(No space left on device\)"),
        writing(None) as out,
    ):
        out.write("x")
    full.close()


def test_closed_streams_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(UsageError, match="standard input is closed; name a file"):
        read_whole(Path("-"))
    with pytest.raises(UsageError, match="standard output is closed; name a file"), writing(None):
        pass


def test_a_write_protected_file_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text("before", "utf-8")
    monkeypatch.setattr("os.access", lambda path, mode: (path, mode) != (file, os.W_OK))  # root may write anything
    with pytest.raises(UsageError, match="is write-protected; nothing was changed"):
        write_whole(file, "after")
    assert file.read_text("utf-8") == "before"


def test_what_a_terminal_shows_commands_it_not_and_a_pipe_gets_every_sign(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "a,\x1b[2J\x9b2J\u202eb\n"
    for terminal, shown in ((True, "a,\\x1b[2J\\x9b2J\\u202eb\n"), (False, text)):
        monkeypatch.setattr("sys.stdout.isatty", lambda terminal=terminal: terminal)
        with writing(None) as out:
            out.writelines([text])
        assert capsys.readouterr().out == shown
