"""Where the embedded server's data may be, and the messages for places where they cannot be."""

import os
import subprocess
from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from db.migrate import upgrade
from db.server.embedded import serving
from tests.integration.db.remembered_words import remember, remembered


def test_another_programs_number_in_the_pid_file_is_no_obstacle(home: Path) -> None:
    with serving(home) as url:
        remember(url, "kept")
    lines = [str(os.getppid()), str(home / "data"), "1700000000", "5432", str(home / "data"), "", "  1 2", "ready   "]
    (home / "data" / "postmaster.pid").write_text("\n".join(lines))
    with serving(home) as url:
        assert remembered(url) == ["kept"]


def test_a_cluster_that_was_left_half_made_is_made_anew(home: Path) -> None:
    (home / "data.half" / "base").mkdir(parents=True)
    (home / "data.half" / "PG_VERSION").write_text("18\n")
    with serving(home) as url:
        remember(url, "works")
    assert not (home / "data.half").exists()


def test_somebody_elses_folder_is_left_alone(home: Path) -> None:
    with serving(home):
        pass
    owner = (home / "data").stat()
    (home / "data").rename(home / "away")
    (home / "data").mkdir()
    (home / "data" / "thesis.txt").touch()
    os.chown(home / "data", owner.st_uid, owner.st_gid)
    with pytest.raises(UsageError, match="holds no database"):
        serving(home).__enter__()
    assert (home / "data" / "thesis.txt").exists()


def test_a_path_too_long_for_a_socket_works(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    with serving(deep) as url:
        remember(url, "kept")
    with serving(deep) as url:
        assert remembered(url) == ["kept"]


@pytest.mark.parametrize(
    "name",
    [
        "with a space",
        'it\'s "quoted"',
        "$HOME `id` $(id); & | > x",
        "100%25 #1? a=b&c",
        "comma, comma",
        "josé/カート",
        "back\\slash",
        "{braces} [x] *~!",
        os.fsdecode(b"latin-\xe9"),
    ],
)
def test_a_folder_may_have_every_name_that_a_file_system_allows(home: Path, name: str) -> None:
    with serving(home / name) as url:
        upgrade(url)
        remember(url, "kept")
    assert (home / name / "data" / "PG_VERSION").exists()
    with serving(home / name) as url:
        assert remembered(url) == ["kept"]


def test_a_path_that_postgresql_cannot_use_is_explained(home: Path) -> None:
    with pytest.raises(UsageError, match="no path with a line break"):
        serving(home / "line\nbreak").__enter__()


def test_a_folder_reached_over_a_link_is_the_same_server(home: Path) -> None:
    (home / "real one").mkdir(parents=True)
    (home / "link").symlink_to(home / "real one")
    with serving(home / "real one") as url, serving(home / "link") as same:
        assert url == same


def test_data_of_another_version_is_explained(home: Path) -> None:
    with serving(home):
        pass
    (home / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(UsageError, match=r"data of PostgreSQL 14, but this is version 18: restore a backup"):
        serving(home).__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_data_of_another_user_is_explained(home: Path) -> None:
    with serving(home):
        pass
    os.chown(home / "data", 12_345, 12_345)
    with pytest.raises(UsageError, match=r"belongs to user 12345, but the server would run as pgserver"):
        serving(home).__enter__()


def test_a_directory_that_cannot_be_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"database\.directory .*: Not a directory"):
        serving(tmp_path / "file" / "postgres").__enter__()


def test_a_full_disk_is_explained(home: Path) -> None:
    home.mkdir()
    small = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(home)]
    if subprocess.run(small, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk can be mounted by root only, and not in every container")
    try:
        with pytest.raises(UsageError, match="the disk is full; free some space and start again"):
            serving(home).__enter__()
        assert not (home / "data").exists()
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_nobody_else_on_the_machine_can_connect(home: Path) -> None:
    with serving(home):
        socket = home / "data" / ".s.PGSQL.5432"
        assert socket.stat().st_mode & 0o077 == 0
        assert (home / "data").stat().st_mode & 0o077 == 0
