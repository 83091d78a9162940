"""Logs of servers that run for months do not fill the disk."""

from pathlib import Path

from bot.app import demo_settings
from bot.log_files import bound, server_logs


def test_a_log_that_is_too_long_begins_anew_while_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    with file.open("ab", buffering=0) as server:
        server.write(b"a" * 100)
        assert not bound(file, 100)
        server.write(b"b")
        assert bound(file, 100)
        server.write(b"c" * 10)
    assert (file.read_bytes(), (tmp_path / "server.log.1").read_bytes()) == (b"c" * 10, b"a" * 100 + b"b")


def test_a_log_that_is_not_there_or_cannot_be_kept_is_no_failure(tmp_path: Path) -> None:
    assert not bound(tmp_path / "none.log", 1)
    (tmp_path / "vllm.log").write_bytes(b"long")
    (tmp_path / "vllm.log.1").mkdir()
    assert not bound(tmp_path / "vllm.log", 1)
    assert (tmp_path / "vllm.log").read_bytes() == b"long"


def test_whose_logs_they_are(tmp_path: Path) -> None:
    names = [file.relative_to(tmp_path) for file in server_logs(demo_settings(tmp_path))]
    assert names == [Path("var/postgres/data/server.log"), Path("var/vllm.log")]
