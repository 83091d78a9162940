"""People's files: read once, whatever they are, and written whole or not at all."""

import bz2
import gzip
import io
import lzma
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TextIO

from bot.domain.errors import UsageError
from bot.terminal_signs import harmless

_STANDARD = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_STANDARD_OUTPUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_PACKED: tuple[tuple[bytes, Callable[[io.BytesIO], io.BufferedIOBase]], ...] = (
    (b"\x1f\x8b", lambda packed: gzip.GzipFile(fileobj=packed)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ", lzma.LZMAFile),
)
MOST_UNPACKED = 1 << 30
"""Bytes. A crafted archive of a few kilobytes can unpack to more than any memory holds."""


def read_whole(path: Path) -> bytes:
    """The content of the file, of a pipe or, for `-`, of standard input, unpacked. Raises UsageError.

    It is opened once: a pipe cannot be read a second time.
    """
    if str(path) in _STANDARD and sys.stdin is None:
        raise UsageError("standard input is closed; name a file")
    try:
        data = sys.stdin.buffer.read() if str(path) in _STANDARD else path.read_bytes()
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; name a file in it") from None
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    return _unpacked(path, data)


def _unpacked(path: Path, data: bytes) -> bytes:
    for begin, unpack in _PACKED:
        if data.startswith(begin):
            try:
                with unpack(io.BytesIO(data)) as opened:
                    return _bounded(path, opened)
            except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                raise UsageError(f"{path} is a broken archive ({error}); copy it anew") from error
    return _only_file(path, data) if data.startswith(b"PK\x03\x04") else data


def _bounded(path: Path, packed: io.BufferedIOBase | IO[bytes]) -> bytes:
    """Everything in it. Raises UsageError when that is more than `MOST_UNPACKED`."""
    data = packed.read(MOST_UNPACKED + 1)
    if len(data) > MOST_UNPACKED:
        raise UsageError(f"{path} unpacks to more than {MOST_UNPACKED >> 20} MB; unpack it first, and split it")
    return data


def _only_file(path: Path, data: bytes) -> bytes:
    """The file in a zip archive with a single file; a spreadsheet is a zip archive, too, and is returned as it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                raise UsageError(f"{path} unpacks to more than {MOST_UNPACKED >> 20} MB; unpack it first, and split it")
            if "[Content_Types].xml" in names or "mimetype" in names:
                return data
            names = [name for name in names if not name.startswith("__MACOSX/")]
            if len(names) != 1:
                raise UsageError(f"{path} holds {len(names)} files; unpack it and name one of them")
            with archive.open(names[0]) as opened:
                return _bounded(path, opened)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"{path} is a zip archive that cannot be opened ({error}); unpack it first") from error


@contextmanager
def writing(path: Path | None, mark: bool = False) -> Iterator[TextIO]:
    """A file to write UTF-8 text into; None or `-` is standard output. Raises UsageError.

    The file appears only when complete; before that, and if anything goes wrong, what was there stays as it was. A
    name that ends in .gz is compressed. With `mark`, the file begins with the mark by which spreadsheets know UTF-8.
    """
    if path is None or str(path) in _STANDARD_OUTPUT:
        with _standard_output() as out:
            yield out
        return
    target, part = _places(path)
    whole = part != target
    try:
        with _opened(part, path.suffix == ".gz") as out:
            if mark:
                out.write("\ufeff")
            yield out
        if whole:
            _in_place_of(target, part)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if whole:
            with suppress(OSError):  # if the folder is gone, our partial file is gone with it
                part.unlink(missing_ok=True)


def check_writable(path: Path | None) -> None:
    """Raise UsageError if the file cannot be written, before long work whose result goes there. Changes nothing."""
    if path is None or str(path) in _STANDARD_OUTPUT or path.is_fifo() or path.is_char_device():
        return
    try:
        target, part = _places(path)
        if part == target:
            raise IsADirectoryError
        part.open("wb").close()
        part.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def write_whole(path: Path, text: str) -> None:
    """Write the file with this text; on failure it stays as it was. Raises UsageError."""
    with writing(path) as out:
        out.write(text)


def _places(path: Path) -> tuple[Path, Path]:
    """(the file, where to write it until it is complete); the same twice where nothing can be replaced: a pipe."""
    if path.is_file() and not os.access(path, os.W_OK):
        raise UsageError(f"{path} is write-protected; nothing was changed")
    if path.exists() and not path.is_file():
        return path, path
    target = path.resolve()
    return target, target.with_name(f".switchboard-{os.getpid()}.part")


@contextmanager
def _opened(part: Path, packed: bool) -> Iterator[TextIO]:
    with part.open("wb") as raw, ExitStack() as stack:
        sink = stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw)) if packed else raw
        yield stack.enter_context(io.TextIOWrapper(sink, "utf-8", newline=""))


def _in_place_of(target: Path, part: Path) -> None:
    """Put the new file, once it is on disk, under the old one's name and with the old one's permissions."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    if target.exists():
        part.chmod(target.stat().st_mode)
    part.replace(target)


def _unwritable(path: Path, error: OSError) -> UsageError:
    if isinstance(error, IsADirectoryError):
        return UsageError(f"{path} is a folder; name a file in it")
    if isinstance(error, FileNotFoundError):
        return UsageError(f"{path}: there is no folder {path.parent}; make it first")
    return UsageError(f"{path} cannot be written ({error.strerror or error}); nothing was changed")


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    """Standard output in UTF-8, wherever it leads. A reader who went away ends the program quietly, not as an error."""
    if sys.stdout is None:
        raise UsageError("standard output is closed; name a file")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        yield _Terminal() if sys.stdout.isatty() else sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard()
        raise UsageError(f"standard output cannot be written ({error.strerror or error})") from error


class _Terminal(io.StringIO):
    """Standard output where somebody looks at it: nothing that people wrote commands the terminal."""

    def write(self, text: str) -> int:
        sys.stdout.write(harmless(text))
        return len(text)


def _discard() -> None:
    """Discard what is left in the buffer, so that the interpreter does not fail on it again when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
