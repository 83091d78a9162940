"""A backup's archive: complete, private, and restored as it was."""

import io
import tarfile
from pathlib import Path

import pytest

from bot.backup import movable, pack, place_for, put_back, unpacked
from bot.domain.errors import UsageError


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    file = tmp_path / "dump"
    file.write_bytes(b"PGDMP of everything")
    return file


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    adapter = tmp_path / "runs" / "routing-1" / "adapter"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}", "utf-8")
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (adapter.parent / "examples.jsonl").write_text('{"text": "somebody\'s words"}', "utf-8")
    return tmp_path / "runs"


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_went_in_comes_back_without_the_texts(dump: Path, runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    adapters, missing = movable(["routing-1/adapter"], runs)
    pack(dump, adapters, file)
    assert (file.stat().st_mode & 0o777, missing) == (0o600, [])
    with unpacked(file) as held:
        assert held.dump.read_bytes() == dump.read_bytes()
        assert put_back(held.adapters, tmp_path / "elsewhere") == (["routing-1/adapter"], [])
        assert put_back(held.adapters, tmp_path / "elsewhere") == ([], ["routing-1/adapter"])
    before = files(runs)
    del before["routing-1/examples.jsonl"]
    assert files(tmp_path / "elsewhere") == before


def test_what_cannot_move_is_named(runs: Path) -> None:
    stored = ["routing-1/adapter", "routing-2/adapter", "starter:routing", "/opt/adapters/mine", "../outside"]
    assert movable(stored, runs) == (
        {"routing-1/adapter": runs / "routing-1" / "adapter"},
        ["routing-2/adapter", "/opt/adapters/mine", "../outside"],
    )


def test_a_backup_of_an_older_version_is_the_dump_alone(dump: Path) -> None:
    with unpacked(dump) as held:
        assert (held.dump, held.adapters) == (dump, {})


def test_half_an_archive_is_refused(dump: Path, runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    pack(dump, movable(["routing-1/adapter"], runs)[0], file)
    file.write_bytes(file.read_bytes()[:1_300])
    with pytest.raises(UsageError, match="damaged or incomplete"), unpacked(file):
        pass


def test_another_archive_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "photos.tar"
    with tarfile.open(file, "w") as archive:
        archive.addfile(tarfile.TarInfo("photo.jpg"), io.BytesIO())
    with pytest.raises(UsageError, match="none of a Switchboard backup"), unpacked(file):
        pass


def archive_with(file: Path, name: str) -> Path:
    with tarfile.open(file, "w") as archive:
        archive.addfile(tarfile.TarInfo("database.dump"), io.BytesIO())
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    return file


@pytest.mark.parametrize("name", ["../../outside", "adapters/../../outside"])
def test_an_archive_that_reaches_outside_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="damaged"), unpacked(archive_with(tmp_path / "evil.backup", name)):
        pass


def test_an_absolute_name_is_read_as_one_below_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    with unpacked(archive_with(tmp_path / "evil.backup", str(outside))) as held:
        assert held.adapters == {}
    assert not outside.exists()


def test_where_no_backup_can_be_written_nothing_is_left(dump: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        place_for(tmp_path / "nowhere" / "all.backup")
    with pytest.raises(UsageError, match="is no file"):
        place_for(tmp_path)
    with pytest.raises(UsageError, match="cannot be written"):
        pack(dump, {}, tmp_path / "nowhere" / "all.backup")
    with pytest.raises(UsageError, match="there is no such backup"), unpacked(tmp_path / "nowhere"):
        pass
    assert list(tmp_path.iterdir()) == [dump]


def test_weights_that_are_a_link_are_packed_as_what_they_link_to(dump: Path, runs: Path, tmp_path: Path) -> None:
    weights = runs / "routing-1" / "adapter" / "adapter_model.safetensors"
    weights.rename(tmp_path / "blob")
    weights.symlink_to(tmp_path / "blob")
    pack(dump, movable(["routing-1/adapter"], runs)[0], tmp_path / "all.backup")
    with unpacked(tmp_path / "all.backup") as held:
        put_back(held.adapters, tmp_path / "elsewhere")
    there = tmp_path / "elsewhere" / "routing-1" / "adapter" / weights.name
    assert (there.is_symlink(), there.read_bytes()) == (False, b"weights")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("target", ["database.dump", "../outside", "/etc/passwd"])
def test_a_backup_with_links_in_it_is_none_of_ours(dump: Path, tmp_path: Path, kind: bytes, target: str) -> None:
    file = tmp_path / "forged.backup"
    with tarfile.open(file, "w") as archive:
        archive.add(dump, "database.dump")
        link = tarfile.TarInfo("adapters/x/adapter")
        link.type, link.linkname = kind, target
        archive.addfile(link)
    with pytest.raises(UsageError, match="damaged or incomplete"), unpacked(file):
        pass


@pytest.mark.parametrize("name", ["../outside", "adapters/../../outside"])
def test_nothing_of_a_backup_lands_outside_its_folder(dump: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / "forged.backup"
    with tarfile.open(file, "w") as archive:
        archive.add(dump, "database.dump")
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(UsageError, match="damaged or incomplete"), unpacked(file):
        pass
