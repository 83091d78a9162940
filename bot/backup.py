"""A backup as one file: the database as it was, and the adapters that serve, or that a rollback may let serve.

A tar archive of `database.dump` (PostgreSQL's own format), then `adapters/PATH/FILE` for each adapter, PATH as the
database names it. A file that is PostgreSQL's own format alone, as older versions wrote it, is a backup, too.
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
"""Where a tar archive says that it is one: POSIX.1-2001, ustar interchange format."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a backup holds, as long as its context lasts."""

    dump: Path
    adapters: dict[str, Path]
    """The path that the database has for an adapter -> its folder; of the older form none."""


def place_for(file: Path) -> None:
    """Raises UsageError where no backup can be: before the database is read for nothing."""
    if file.exists() and not file.is_file():
        raise UsageError(f"{file} is no file; name one that the backup may become")
    if not file.resolve().parent.is_dir():
        raise UsageError(f"{file}: there is no folder {file.parent}; make it first")


def pack(dump: Path, adapters: dict[str, Path], file: Path) -> None:
    """Write the archive, readable by its owner alone; it appears when it is whole. Raises UsageError."""
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
    """What the file holds, in a folder of its own. Raises UsageError for what is no backup, or half of one."""
    if not file.is_file():
        raise UsageError(f"{file}: there is no such backup")
    if not _is_archive(file):
        yield Unpacked(file, {})  # whether it is a backup at all, pg_restore says
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
    """Copy adapters below the folder of runs: which are new there, and which were left since others are there already.

    An adapter's folder appears when it is whole. Raises UsageError.
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
    """Of the adapters' paths in the database: those below `runs` with their folders, and those whose files are missing.

    What comes with the program needs no copy; what lies elsewhere by an absolute path stays where it is, and is named
    with what is missing.
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
    """A file or a folder below this one. We write nothing else, and a link would lead what comes behind it astray."""
    if not (member.isfile() or member.isdir()):
        raise tarfile.SpecialFileError(member)
    return tarfile.data_filter(member, folder)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose file it was on that machine is nobody's concern on the next."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
