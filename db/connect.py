"""Connections: all opened the same way, with the session settings we need.

Session settings are set after connecting, not while connecting: so the URL's own `options` stay, and poolers, which
refuse startup parameters they do not know, let us in. Behind a pooler that assigns a server for one transaction only,
nothing may be left in the session: there the settings are set for each transaction, and no statement is prepared.
"""

from dataclasses import dataclass

import psycopg

from bot.domain.errors import ConfigError, DatabaseUnreachable
from db.connection_errors import explained
from db.connection_url import Target

_PREPARED_AFTER = 5
"""psycopg's own default: a statement is prepared when it runs for the sixth time."""
_WANTED = {
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "0",
    "default_transaction_isolation": "read committed",
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
}
"""Settings that a role or a database may have set otherwise for other clients; only the URL's own options win over
them."""
_FACTS = """
SELECT pg_backend_pid(),
       ARRAY(SELECT lower(name) FROM pg_settings WHERE source = 'client'),
       current_setting('search_path'),
       (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
        WHERE extname = 'vector' AND nspname <> ALL (current_schemas(true)) AND current_schema() IS NOT NULL)
"""
_SET = "SELECT set_config(name, value, {local}) FROM unnest({names}::text[], {values}::text[]) AS s (name, value)"


@dataclass(frozen=True, slots=True)
class Session:
    """What the first connection showed about the connections to a database."""

    pooled: bool
    """Whether a pooler stands in between, so that only a transaction belongs to us."""
    settings: tuple[tuple[str, str], ...]
    """The settings a session needs and does not already have."""

    def statement(self, local: bool) -> str:
        """The SQL that sets them, for the transaction alone (`local`) or for as long as the connection lasts."""
        names = ", ".join(f"'{name}'" for name, _ in self.settings)
        values = ", ".join("'" + value.replace("'", "''") + "'" for _, value in self.settings)
        return _SET.format(local=str(local).lower(), names=f"ARRAY[{names}]", values=f"ARRAY[{values}]")


async def connected(
    target: Target, application: str, autocommit: bool = False
) -> tuple[psycopg.AsyncConnection, Session]:
    """Open a connection of its own. Raises Unreachable with a sentence that says which database and what to mend."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            target.conninfo(application), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise _refused(target, error) from None
    try:
        session = _session(target, connection, await (await connection.execute(_FACTS)).fetchone())
        if not session.pooled:
            connection.prepare_threshold = _PREPARED_AFTER
            await connection.execute(session.statement(local=False).encode())
        await connection.set_autocommit(autocommit)
    except BaseException as error:  # a cancellation included: nobody else has the connection yet to close it
        await connection.close()
        if isinstance(error, psycopg.Error):
            raise _refused(target, error) from None
        raise
    return connection, session


def connected_now(target: Target, application: str) -> tuple[psycopg.Connection, Session]:
    """Blocking `connected`, without a choice of autocommit: it is off."""
    try:
        connection = psycopg.connect(target.conninfo(application), autocommit=True, prepare_threshold=None)
    except psycopg.Error as error:
        raise _refused(target, error) from None
    try:
        session = _session(target, connection, connection.execute(_FACTS).fetchone())
        if not session.pooled:
            connection.execute(session.statement(local=False).encode())
        connection.autocommit = False
    except psycopg.Error as error:
        connection.close()
        raise _refused(target, error) from None
    return connection, session


def _session(
    target: Target, connection: psycopg.AsyncConnection | psycopg.Connection, facts: tuple[object, ...] | None
) -> Session:
    """The session of a connection. Behind a pooler, the server's process number differs from the one given when
    connecting."""
    assert facts is not None  # noqa: S101  one row, always
    pid, asked, path, extra = facts
    settings = {k: v for k, v in _WANTED.items() if not isinstance(asked, list) or k.lower() not in asked}
    if extra:
        settings["search_path"] = f"{path}, {extra}" if path else str(extra)
    return Session(target.pooled or pid != connection.info.backend_pid, tuple(settings.items()))


def _refused(target: Target, error: psycopg.Error) -> Exception:
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return ConfigError(["database.url: a part of it is no value that PostgreSQL takes there"])
    return DatabaseUnreachable(explained(target, error))
