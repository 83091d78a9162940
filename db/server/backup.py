"""A database to a file and back, with the PostgreSQL programs from the wheel."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

from bot.domain.errors import Unreachable, UsageError
from db.connect import connected_now
from db.connection_errors import explained
from db.connection_url import Target, parsed
from db.server.cluster import binaries
from db.tables import Table

_NOT_OURS = re.compile(r"^\d+; \d+ \d+ (EXTENSION|COMMENT - EXTENSION|SCHEMA|COMMENT - SCHEMA|ACL|DEFAULT ACL) ")
"""Entries of a backup's list that are not restored: the owner of a database need not own its extensions."""
_ALL_OR_NOTHING = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--file=-"]
_OURS = """
SELECT quote_ident(nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE c.oid = to_regclass('alembic_version')
"""


def dump(url: str, file: Path) -> None:
    """Write all our tables into one file, readable by its owner only; the bot may go on working. Blocks.

    The file appears once it is complete: a broken-off backup is never taken for a good one. Raises UsageError.
    """
    if file.exists() and not file.is_file():
        raise UsageError(f"{file} is no file; name one that the backup may become")
    target, whole = parsed(url), file.resolve()
    part = whole.with_name(f".switchboard-{os.getpid()}.part")
    try:
        part.touch(mode=0o600)
        bare = ["--format=custom", "--no-owner", "--no-privileges", f"--schema={_schema(target)}"]
        _run(target, "pg_dump", *bare, f"--file={part}")
        part.replace(whole)
    except FileNotFoundError as error:
        raise UsageError(f"{file}: there is no folder {file.parent}; make it first") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):  # if the folder is missing, so is the part file
            part.unlink(missing_ok=True)


def restore(url: str, file: Path) -> None:
    """Put a database back to what the file holds, or leave it as it is. Stop the bot first. Blocks.

    Our tables in the database are replaced; its extensions stay. Raises UsageError.
    """
    if not file.is_file():
        raise UsageError(f"{file}: there is no such backup")
    target = parsed(url)
    _make_room(target, _entries(target, file))
    replay(url, file)


def replay(url: str, file: Path) -> None:
    """The restore itself, into a database that has the extension and schema it needs. Raises UsageError."""
    target = parsed(url)
    entries = _entries(target, file)
    with tempfile.TemporaryDirectory() as folder:
        kept, script = Path(folder) / "list", Path(folder) / "script"
        kept.write_text("".join(e for e in entries if not _NOT_OURS.match(e)), "utf-8", "surrogateescape")
        written = ["--clean", "--if-exists", "--no-owner", "--no-privileges", f"--use-list={kept}", f"--file={script}"]
        _run(target, "pg_restore", *written, str(file), connects=False)  # completely, or nothing is begun
        with script.open("rb") as lines, tempfile.TemporaryFile() as statements:
            statements.writelines(_preamble(entries, lines))
            shutil.copyfileobj(lines, statements)
            statements.seek(0)
            _run(target, "psql", *_ALL_OR_NOTHING, stdin=statements)


def _entries(target: Target, file: Path) -> list[str]:
    """The entries of a backup, one line each."""
    return _run(target, "pg_restore", "--list", str(file), connects=False).splitlines(keepends=True)


def _preamble(entries: Sequence[str], script: IO[bytes]) -> Iterator[bytes]:
    """What runs first: drop newer versions' tables that the backup lacks, then the script's own settings.

    pg_restore is newer than some servers and writes a setting that those refuse; it is left out.
    """
    schemas = [schema for schema, name in _tables(entries) if name == "alembic_version"]
    names = {name for _, name in _tables(entries)}
    for schema in schemas:
        for table in sorted(set(Table.metadata.tables) - names):
            yield f'DROP TABLE IF EXISTS {schema}."{table}" CASCADE;\n'.encode()
    for line in script:
        if line != b"SET transaction_timeout = 0;\n":
            yield line
        if line.startswith(b"SET row_security"):
            return


def _tables(entries: Sequence[str]) -> list[tuple[str, str]]:
    """(schema, name) of each table in a backup."""
    return [(found[1], found[2]) for entry in entries if (found := re.search(r"; \d+ \d+ TABLE (\S+) (\S+) ", entry))]


def _schema(target: Target) -> str:
    """The schema that holds our tables. Raises UsageError."""
    with _looking_into(target) as connection:
        found = connection.execute(_OURS).fetchone()
    if found is None:
        raise UsageError(f"database {target.place}: there is nothing of Switchboard's in it")
    return str(found[0])


def _make_room(target: Target, entries: Sequence[str]) -> None:
    """Create what the entries need and a new database lacks: the extension, and the schema the tables were in."""
    schemas = [schema for schema, name in _tables(entries) if name == "alembic_version"]
    with _looking_into(target) as connection:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            for schema in schemas:
                if connection.execute("SELECT to_regnamespace(quote_ident(%s))", [schema]).fetchone() == (None,):
                    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        except psycopg.errors.InsufficientPrivilege as error:
            needed = f"CREATE {'SCHEMA' if 'schema' in str(error) or 'database' in str(error) else 'EXTENSION vector'}"
            raise UsageError(f"database {target.place}: let an administrator run there, once: {needed}") from None
        except psycopg.Error:
            raise UsageError(f"database {target.place}: the server lacks pgvector; install it there") from None


def _looking_into(target: Target) -> psycopg.Connection:
    try:
        connection, session = connected_now(target, "switchboard looks")
    except Unreachable as error:
        raise UsageError(str(error)) from error
    if session.pooled:  # pg_dump empties the search_path of its session, and the next client would get that session
        connection.close()
        raise UsageError(
            f"database {target.place}: a pooler is in front, and a backup or a restore needs the server itself; "
            "name it for this command: DATABASE_URL=postgresql://…"
        )
    connection.execute(session.statement(local=True).encode())
    return connection


def _run(target: Target, program: str, *arguments: str, connects: bool = True, stdin: IO[bytes] | None = None) -> str:
    """Run the program and return its output. Secrets go into the environment: `ps` shows arguments to everybody."""
    secret = {"PGPASSWORD": target.parameters["password"]} if "password" in target.parameters else {}
    where = ["--dbname", target.without_secrets()] if connects else []
    done = subprocess.run(
        [str(binaries() / program), *arguments, *where],
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={"PGCONNECT_TIMEOUT": "5", **_surroundings(), "LC_ALL": "C", **secret},
    )
    if done.returncode != 0:
        raise UsageError(f"{program}: {_reason(target, done.stderr.decode(errors='replace'))}")
    return done.stdout.decode(errors="surrogateescape")


def _surroundings() -> dict[str, str]:
    """The environment variables for libpq and for finding programs and folders; none of the bot's tokens."""
    known = re.compile(r"PG\w+|PATH|HOME|USER|LOGNAME|TMPDIR|LD_\w+|SSL_\w+|KRB5\w*|LANG|TZ")
    return {name: value for name, value in os.environ.items() if known.fullmatch(name)}


def _reason(target: Target, said: str) -> str:
    """The line that says why: the first error, of which later ones are only consequences."""
    lines = [line for line in said.splitlines() if "warning:" not in line]
    told = next((line for line in lines if re.search(r"error:|ERROR:|FATAL:", line)), (lines or ["it said nothing"])[0])
    if elsewhere := re.search(r'type "(\S+)\.vector" does not exist', said):
        how = f"ALTER EXTENSION vector SET SCHEMA {elsewhere[1]}"
        return f"the backup knows pgvector in schema {elsewhere[1]}, and here it is in another; run there: {how}"
    if "connection to server" in said or "could not translate host" in said:
        return explained(target, psycopg.OperationalError(told))
    return re.sub(r"^(pg_\w+|psql):( error:|<stdin>:\d+:)? ?", "", told).strip()
