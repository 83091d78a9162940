"""What a backup of a database must bring back: its adapters, its version, and how much it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from bot.domain.errors import UsageError
from db.connect import connected_now
from db.connection_url import parsed
from db.tables import Table

_SERVES_OR_MAY = """
SELECT DISTINCT a.path, a.digest FROM adapters a
WHERE EXISTS (SELECT FROM promotions p WHERE (p.task, p.adapter) = (a.task, a.name)){or_on_trial} ORDER BY a.path
"""
_ON_TRIAL = """
OR EXISTS (SELECT FROM canaries c WHERE (c.task, c.adapter) = (a.task, a.name) AND c.ended_at IS NULL)"""
_OURS = "SELECT relname FROM pg_class WHERE relkind = 'r' AND pg_table_is_visible(oid) AND relname = ANY(%s)"


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A database's contents, counted."""

    version: str
    """The schema's version."""
    rows: int
    tables: int
    adapters: Sequence[tuple[str, str | None]]
    """(path as stored, digest of its files) of each adapter that serves, serves a share, or once did."""


def serving_adapters(url: str) -> list[tuple[str, str | None]]:
    """(path as stored, digest) of every adapter that serves all or a share, or that a rollback may bring back. Blocks.

    A database from a version without adapters has none. Raises Unreachable.
    """
    with _session(url) as connection:
        return _adapters(connection)


def facts_of(url: str) -> DatabaseFacts:
    """The facts of a database; reads every row of every table once. Raises UsageError where something is missing."""
    with _session(url) as connection:
        try:
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            there = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)",
                [sorted(Table.metadata.tables)],
            ).fetchall()
            rows = 0
            for (name,) in there:
                counted = sql.SQL("SELECT count(t.*::text) FROM {} t").format(sql.Identifier(str(name)))
                rows += int((connection.execute(counted).fetchone() or (0,))[0])
            return DatabaseFacts(str((version or ("none",))[0]), rows, len(there), _adapters(connection))
        except psycopg.Error as error:
            raise UsageError(f"the database cannot be read back: {error.diag.message_primary or error}") from error


def _rows(connection: psycopg.Connection, table: str) -> int:
    counted = sql.SQL("SELECT count(t.*::text) FROM {} t").format(sql.Identifier(table))
    return int((connection.execute(counted).fetchone() or (0,))[0])


def _session(url: str) -> psycopg.Connection:
    connection, session = connected_now(parsed(url), "switchboard backup")
    connection.execute(session.statement(local=True).encode())
    return connection


def _adapters(connection: psycopg.Connection) -> list[tuple[str, str | None]]:
    there = "SELECT to_regclass('adapters'), to_regclass('promotions'), to_regclass('canaries')"
    *known, canaries = connection.execute(there).fetchone() or (None, None)
    if None in known:
        return []
    has_digest = connection.execute(
        "SELECT 1 FROM pg_attribute WHERE attrelid = 'adapters'::regclass AND attname = 'digest'"
    ).fetchone()
    asked = _SERVES_OR_MAY.format(or_on_trial=_ON_TRIAL if canaries else "")
    asked = asked if has_digest else asked.replace("a.digest", "NULL::text")
    return [(str(path), digest) for path, digest in connection.execute(asked.encode()).fetchall()]
