"""A database of its own for each workspace, in one PostgreSQL server: no query can reach another workspace's."""

from urllib.parse import quote

import psycopg
from psycopg import sql

from bot.domain.errors import UsageError
from db.connect import connected_now
from db.connection_url import Target, parsed

_LONGEST = 63
"""The most bytes of a name that PostgreSQL keeps."""


def own_database(url: str, workspace: str) -> str:
    """The URL of the workspace's database beside that of `url`; the database is created if missing. Blocks.

    Raises UsageError, with the statement for an administrator if the user may not create databases; Unreachable.
    """
    target = parsed(url)
    name = f"{target.name}_{workspace}"
    if len(name.encode()) > _LONGEST:
        raise UsageError(f"database {name}: the name is too long for PostgreSQL; call the workspace by a shorter one")
    mark = "&" if "?" in url else "?"
    own = f"{url}{mark}dbname={quote(name, safe='')}"  # libpq prefers it over the name in the path
    if parsed(own).name != name:
        raise UsageError(_how(target, name, workspace, "cannot be named beside it"))
    _make(target, name, workspace)
    return own


def _make(target: Target, name: str, workspace: str) -> None:
    connection, _ = connected_now(target, "switchboard workspaces")
    with connection:
        connection.rollback()
        connection.autocommit = True
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None:
            return
        statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
        try:
            connection.execute(statement)
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process created it meanwhile
        except psycopg.errors.InsufficientPrivilege:
            raise UsageError(_how(target, name, workspace, "is missing, and the user may not make it")) from None


def _how(target: Target, name: str, workspace: str, why: str) -> str:
    return (
        f"database {name} of the workspace {workspace}, beside {target.place}, {why}; let an administrator run: "
        f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template0; or name another in "
        f"DATABASE_URL_{workspace.upper()}"
    )
