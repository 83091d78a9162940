"""A backup is complete and private, and restores everything."""

import os
from pathlib import Path

import psycopg
import pytest

from bot.domain.errors import UsageError
from db.engine import Database, open_database
from db.ledger import PostgresLedger
from db.migrate import downgrade, upgrade
from db.server.backup import dump, replay, restore
from db.transcript import PostgresTranscript
from tests.integration.db.scenes import JOINING, message, routed
from tests.postgres_servers import DEBIAN, postgres


async def test_what_was_dumped_comes_back(
    ledger: PostgresLedger, database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    await routed(ledger)
    file = tmp_path / "backup"
    dump(database_url, file)
    assert file.stat().st_mode & 0o077 == 0
    restore(empty_url, file)
    upgrade(empty_url)
    before = await PostgresTranscript(database).lines("telegram", ["chat-of-m1"], 10)
    async with open_database(empty_url) as copy:
        assert await PostgresTranscript(copy).lines("telegram", ["chat-of-m1"], 10) == before
        assert await PostgresLedger(copy, "tiny").add_message(message("m2"), JOINING)


async def test_restoring_replaces_what_was_there(empty_url: str, tmp_path: Path) -> None:
    upgrade(empty_url)
    file = tmp_path / "backup"
    dump(empty_url, file)
    async with open_database(empty_url) as database:
        await PostgresLedger(database, "tiny").add_message(message("m1"), JOINING)
    restore(empty_url, file)
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)


def test_a_broken_backup_changes_nothing(empty_url: str, tmp_path: Path) -> None:
    upgrade(empty_url)
    file = tmp_path / "backup"
    dump(empty_url, file)
    file.write_bytes(file.read_bytes()[:-2_000])
    with pytest.raises(UsageError, match="pg_restore"):
        restore(empty_url, file)
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)


def test_a_failed_backup_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nobody listens there"):
        dump("postgresql://nobody:secret@127.0.0.1:1/nothing", tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_where_no_backup_can_be_written_is_one_sentence(empty_url: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place, problem in (
        (tmp_path / "nodir" / "x", "there is no folder .*nodir; make it first"),
        (file / "x", r"cannot be written \(Not a directory\)"),
        (tmp_path, "is no file"),
        (Path("/dev/null"), "is no file"),
        (pipe, "is no file"),
    ):
        with pytest.raises(UsageError, match=problem):
            dump(empty_url, place)
    assert sorted(tmp_path.iterdir()) == [file, pipe]
    assert pipe.is_fifo() and Path("/dev/null").is_char_device()


def test_a_link_to_a_backup_stays_a_link(empty_url: str, tmp_path: Path) -> None:
    upgrade(empty_url)
    link = tmp_path / "newest"
    link.symlink_to("today")
    dump(empty_url, link)
    assert link.is_symlink() and tmp_path.joinpath("today").stat().st_mode & 0o077 == 0


def test_a_backup_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such backup"):
        restore("postgresql://nobody@127.0.0.1:1/nothing", tmp_path / "none")


async def test_a_backup_of_an_older_version_comes_back_into_a_newer_database(empty_url: str, tmp_path: Path) -> None:
    upgrade(empty_url)
    downgrade(empty_url, "0003")
    dump(empty_url, tmp_path / "backup")
    upgrade(empty_url)
    restore(empty_url, tmp_path / "backup")
    upgrade(empty_url)
    async with open_database(empty_url) as database:
        assert await PostgresLedger(database, "tiny").add_message(message("m1"), JOINING)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's PostgreSQL 15 is not installed here")
def test_a_server_older_than_our_programs_is_restored(tmp_path: Path) -> None:
    """It has no pgvector, so our schema cannot be created in it: two tables are used instead."""
    with postgres(DEBIAN) as server:
        server.does("CREATE TABLE alembic_version (version_num text)", "INSERT INTO alembic_version VALUES ('0003')")
        dump(server.url(), tmp_path / "backup")
        server.does("UPDATE alembic_version SET version_num = 'newer'", "CREATE TABLE adapters (name text)")
        replay(server.url(), tmp_path / "backup")
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
            assert connection.execute("SELECT to_regclass('adapters')").fetchone() == (None,)
