"""A database to a file and back, with the PostgreSQL programs out of the wheel."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from sqlalchemy import URL

from bot.domain.errors import UsageError
from db.cluster import binaries
from db.engine import conninfo, parsed


def dump(url: str, file: Path) -> None:
    """Write everything into one file, readable by its owner only; the bot may go on working. It blocks.

    The file appears when it is whole: a broken-off backup is never taken for a good one. Raises UsageError.
    """
    if file.exists() and not file.is_file():
        raise UsageError(f"{file} is no file; name one that the backup may become")
    whole = file.resolve()
    part = whole.with_name(f".switchboard-{os.getpid()}.part")
    try:
        part.touch(mode=0o600)
        _run(parsed(url), "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={part}")
        part.replace(whole)
    except FileNotFoundError as error:
        raise UsageError(f"{file}: there is no folder {file.parent}; make it first") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):  # where there is no folder there is no part of ours either
            part.unlink(missing_ok=True)


def restore(url: str, file: Path) -> None:
    """Put a database back to what the file holds, or leave it as it is. Stop the bot first. It blocks.

    What the database held is replaced. Raises UsageError.
    """
    if not file.is_file():
        raise UsageError(f"{file}: there is no such backup")
    whole = ["--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-owner", "--no-privileges"]
    _run(parsed(url), "pg_restore", *whole, str(file))


def _run(url: URL, program: str, *arguments: str) -> None:
    """The password goes over the environment: `ps` shows arguments to everybody."""
    secret = {} if url.password is None else {"PGPASSWORD": str(url.password)}
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
    done = subprocess.run(
        [str(binaries() / program), *arguments, "--dbname", conninfo(bare)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "5", **secret},
    )
    if done.returncode != 0:
        raise UsageError(f"{program}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
