"""A backup as one file: the database as it was, and the adapters that serve or that a rollback may let serve.

A tar archive of `database.dump` (PostgreSQL's own format), then `adapters/PATH/FILE` for each adapter, PATH as in the
database. A bare file in PostgreSQL's own format, as older versions wrote it, is a backup, too.
"""

import os
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from bot.domain.errors import UsageError

_DUMP = "database.dump"
_ADAPTERS = "adapters"
_MAGIC_AT, _MAGIC = 257, b"ustar"
"""Where a tar archive has its magic: POSIX.1-2001, ustar interchange format."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The content of a backup, as long as its context lasts."""

    dump: Path
    adapters: dict[str, Path]
    """The adapter's path in the database -> its folder; empty for the older form."""


def place_for(file: Path) -> None:
    """Raise UsageError where no backup can be written, before the database is read in vain."""
    if file.exists() and not file.is_file():
        raise UsageError(f"{file} is no file; name one that the backup may become")
    if not file.resolve().parent.is_dir():
        raise UsageError(f"{file}: there is no folder {file.parent}; make it first")


def pack(dump: Path, adapters: dict[str, Path], file: Path) -> None:
    """Write the archive, readable by its owner alone; it appears only when complete. Raises UsageError."""
    whole = file.resolve()
    part = whole.with_name(f".switchboard-{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w", dereference=True) as archive:
                archive.add(dump, _DUMP, filter=_anonymous)
                for stored, folder in sorted(adapters.items()):
                    for one in sorted(path for path in folder.iterdir() if path.is_file()):
                        archive.add(one, f"{_ADAPTERS}/{stored}/{one.name}", filter=_anonymous)
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(whole)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror or error}); nothing was changed") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def unpacked(file: Path) -> Iterator[Unpacked]:
    """Unpack the file into a temporary folder. Raises UsageError for a file that is no backup, or an incomplete one."""
    if not file.is_file():
        raise UsageError(f"{file}: there is no such backup")
    if not _is_archive(file):
        yield Unpacked(file, {})  # whether it is a backup at all is for pg_restore to find out
        return
    with TemporaryDirectory(prefix="switchboard-backup-") as folder:
        try:
            with tarfile.open(file, "r:") as archive:
                archive.extractall(folder, filter=_plain)  # noqa: S202  files and folders below it alone
        except (tarfile.TarError, OSError, EOFError) as error:
            raise UsageError(f"{file} is damaged or incomplete ({error}); use another backup") from error
        dump, below = Path(folder) / _DUMP, Path(folder) / _ADAPTERS
        if not dump.is_file():
            raise UsageError(f"{file} is an archive, but none of a Switchboard backup: there is no {_DUMP} in it")
        found = {path.parent.relative_to(below).as_posix(): path.parent for path in below.rglob("*") if path.is_file()}
        yield Unpacked(dump, found)


def put_back(adapters: dict[str, Path], runs: Path) -> tuple[list[str], list[str]]:
    """Copy adapters below the folder of runs; return (those copied, those left because others are there already).

    An adapter's folder appears only when complete. Raises UsageError.
    """
    new, kept = [], []
    for stored, folder in sorted(adapters.items()):
        there = runs.joinpath(*PurePosixPath(stored).parts)
        if there.exists():
            kept.append(stored)
            continue
        part = there.with_name(f"{there.name}.part")
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, part)
            part.replace(there)
        except OSError as error:
            raise UsageError(f"{there} cannot be written ({error.strerror or error})") from error
        new.append(stored)
    return new, kept


def movable(stored: Sequence[str], runs: Path) -> tuple[dict[str, Path], list[str]]:
    """Divide the adapters' paths of the database: (path -> folder for those below `runs`, those without files).

    What comes with the program needs no copy. A path elsewhere that is absolute stays where it is, and is listed with
    the missing ones.
    """
    found: dict[str, Path] = {}
    missing: list[str] = []
    for path in stored:
        if path.startswith("starter:"):
            continue
        pure = PurePosixPath(path)
        folder = runs.joinpath(*pure.parts)
        if pure.is_absolute() or ".." in pure.parts or not folder.is_dir():
            missing.append(path)
        else:
            found[path] = folder
    return found, missing


def _is_archive(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            opened.seek(_MAGIC_AT)
            return opened.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror})") from error


def _plain(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Accept files and folders below this folder. `pack` writes nothing else, and links can redirect later members."""
    if not (member.isfile() or member.isdir()):
        raise tarfile.SpecialFileError(member)
    return tarfile.data_filter(member, folder)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Remove the owner: whose file it was on that machine is nobody's concern on the next."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
