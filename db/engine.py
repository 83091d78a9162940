"""Access to PostgreSQL: one pool, transactions that raise the domain's errors, and connections for waiting."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from time import monotonic

import psycopg
from sqlalchemy import ColumnElement, Connection, event, func, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bot.domain.errors import DatabaseUnreachable, Refused, Unreachable
from bot.domain.ledger import Change
from db.connect import Session, connected
from db.connection_url import Target, parsed
from db.server.pool_health import watched
from db.shared_clock import SHARED

log = logging.getLogger(__name__)

_KNOWN_AS = "known as"
CHANNEL = "switchboard"
"""The channel on which every transaction that changed something announces it."""
DRIVER = "postgresql+psycopg://"
"""The whole URL SQLAlchemy gets: it parses URLs differently from libpq, and would show them in its errors."""


@contextmanager
def translated(place: str = "") -> Iterator[None]:
    """Turn PostgreSQL's errors into Unreachable (try again later) or Refused (never).

    Neither carries the server's own words: they may quote a row, and a row holds what people wrote. `place` names the
    database in Unreachable.
    """
    where = f"database {place}".strip()
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnreachable(f"{where}: every connection is busy") from error
    except (OperationalError, InterfaceError) as error:
        raise DatabaseUnreachable(f"{where}: {_named(error.orig)}") from error
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error.orig, psycopg.errors.ReadOnlySqlTransaction):
            raise DatabaseUnreachable(f"{where}: {_named(error.orig)}") from error
        raise Refused(f"database: {_named(error.orig)}") from None
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnreachable(f"{where}: {_named(error)}") from error


_SAID: dict[type[psycopg.Error], str] = {
    psycopg.errors.AdminShutdown: "it was shut down, or ended the connection",
    psycopg.errors.CrashShutdown: "it is recovering from a crash",
    psycopg.errors.ReadOnlySqlTransaction: "it may only be read, a standby: name the primary in database.url",
    psycopg.errors.DiskFull: "its disk is full",
    psycopg.errors.InsufficientPrivilege: "the user may not do that: GRANT it the rights on the tables, or own them",
    psycopg.errors.UndefinedTable: "a table is missing: switchboard migrate",
    psycopg.errors.UndefinedColumn: "a column is missing: switchboard migrate",
    psycopg.errors.TooManyConnections: "it has no connection left to give",
}


def _named(error: BaseException | None) -> str:
    if not isinstance(error, psycopg.Error):
        return type(error).__name__
    where = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
    name = " ".join([type(error).__name__, *(part for part in where if part)])
    return f"{_SAID[type(error)]} ({name})" if type(error) in _SAID else name


def _nothing() -> None:
    """Nobody wants to be told."""


class Database:
    """An open PostgreSQL database. Safe for concurrent use."""

    def __init__(self, target: Target, pool_size: int) -> None:
        self._target = target
        self._session: Session | None = None
        self._down_since: float | None = None
        self.on_return: Callable[[], None] = _nothing
        """Called whenever the database answers again after an outage."""
        self._engine = create_async_engine(
            DRIVER,
            async_creator=self._pooled_connection,
            pool_size=pool_size,
            max_overflow=0,  # opening a connection in a burst costs more than waiting for one
            pool_timeout=10,
            hide_parameters=True,  # an error's text must not quote what people wrote
        )
        watched(self._engine)  # so that after a restart of the server the first fact is not refused
        event.listen(self._engine.sync_engine, "begin", self._begun)
        self.known_as: int | None = None
        """The number under which this process is known to live (`db.processes`); None: it is not known to."""
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False, autoflush=False)
        each_alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._autocommitting = async_sessionmaker(each_alone, expire_on_commit=False, autoflush=False)

    async def _pooled_connection(self) -> psycopg.AsyncConnection:
        return await self._connected("switchboard", autocommit=False)

    async def _connected(self, application: str, autocommit: bool) -> psycopg.AsyncConnection:
        """Open a connection; log an outage once when it begins, with the database's name, and once when it is over."""
        try:
            connection, self._session = await connected(self._target, application, autocommit)
        except Unreachable as error:
            if self._down_since is None:
                self._down_since = monotonic()
                log.error("database out of reach", extra={"problem": str(error)})
            raise
        if self._down_since is not None:
            seconds = round(monotonic() - self._down_since, 1)
            log.warning("database answers again", extra={"database": self.place, "seconds": seconds})
            self._down_since = None
            self.on_return()
        return connection

    def _begun(self, connection: Connection) -> None:
        """Behind a pooler, set the session's settings anew for each transaction."""
        if self._session is not None and self._session.pooled:
            connection.exec_driver_sql(self._session.statement(local=True))

    @property
    def place(self) -> str:
        """Which database, for people to read; without secrets."""
        return self._target.place

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A transaction that commits at its end and rolls back on any error. Raises Unreachable or Refused."""
        with translated(self.place):
            async with self._sessions.begin() as session:
                session.info[_KNOWN_AS] = self.known_as
                yield session

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncSession]:
        """A session in which each statement is a transaction of its own: without the round trips to begin and end one.

        For one statement, and for reads that need not be of one moment. Behind a pooler, which assigns a server for a
        transaction only, it is one transaction all the same. Raises Unreachable or Refused.
        """
        if self._session is None or self._session.pooled:
            async with self.transaction() as session:
                yield session
            return
        with translated(self.place):
            async with self._autocommitting.begin() as session:
                session.info[_KNOWN_AS] = self.known_as
                yield session

    async def ping(self) -> None:
        """Return once the database answers. Raises Unreachable."""
        async with self.transaction() as session:
            await session.execute(text("SELECT 1"))

    async def dedicated(self) -> psycopg.AsyncConnection:
        """A connection outside the pool, for waiting; the caller closes it. Raises Unreachable."""
        return await self._connected("switchboard waits", autocommit=True)

    async def pooled(self) -> bool:
        """Whether a pooler is in front, so that no notification arrives and no session lasts. Raises Unreachable."""
        if self._session is None:
            await self.ping()
        return self._session is not None and self._session.pooled

    @asynccontextmanager
    async def locked(self, key: int | str, wait: bool) -> AsyncIterator[bool]:
        """Hold an advisory lock, which ends with the block and, at the latest, with the process; False: another process
        holds it.

        The lock belongs to a transaction that is kept open, because a pooler assigns a server for one transaction only.
        Raises Unreachable.
        """
        connection = await self.dedicated()
        try:
            with translated(self.place):
                held = await _lock(connection, key, wait)
            yield held
        finally:
            await _unlocked(connection)

    async def keep_lock(self, key: int, look_every: float, held: Callable[[], Awaitable[None]]) -> None:
        """Hold an advisory lock until cancelled; call `held` once it is taken. Raises Unreachable when it is lost.

        Meanwhile it keeps the shared clock (`shared_clock`) at the database's time.
        """
        connection = await self.dedicated()
        try:
            with translated(self.place):
                await _lock(connection, key, wait=True)
                await held()
                while True:
                    found = await (await connection.execute("SELECT clock_timestamp()")).fetchone()
                    if found is not None:
                        SHARED.heard(found[0])
                    await asyncio.sleep(look_every)
        finally:
            await _unlocked(connection)

    async def close(self) -> None:
        await self._engine.dispose()


async def _lock(connection: psycopg.AsyncConnection, key: int | str, wait: bool) -> bool:
    """Begin a transaction that stays open, and take the lock in it; return whether it was free."""
    taken = "true FROM pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    number = "%s::bigint" if isinstance(key, int) else "hashtextextended(%s, 7)"
    await connection.execute("BEGIN")
    await connection.execute(_FOR_GOOD)
    found = await connection.execute(f"SELECT {taken}({number})".encode(), [key])
    held = await found.fetchone()
    return held is not None and bool(held[0])


async def _unlocked(connection: psycopg.AsyncConnection) -> None:
    """End the transaction, and with it the lock, then close: the server notices some time later that it is closed."""
    try:
        with suppress(psycopg.Error, TimeoutError):  # it is lost, and the lock with it
            async with asyncio.timeout(_UNLOCK_SECONDS):
                await connection.rollback()
    finally:
        await connection.close()


_UNLOCK_SECONDS = 2.0
"""Seconds that a server which does not answer may take to release a lock."""
_FOR_GOOD = """
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout', 'statement_timeout')
"""
"""Switches the time limits off, for a lock may be held, and waited for, as long as it takes."""


def announcement(*changes: Change) -> ColumnElement[object]:
    """The expression that tells every process, once the transaction commits, what changed.

    As a column that a statement returns, it notifies only if the statement found a row.
    """
    return func.pg_notify(CHANNEL, " ".join(changes))


async def announce(session: AsyncSession, *changes: Change) -> None:
    """Tell every process, once this transaction commits, what changed."""
    await session.execute(select(announcement(*changes)))


def claimant(session: AsyncSession) -> int | None:
    """The number of the process that claims in this transaction; None: it cannot be found dead, so its claim just
    expires."""
    known_as: int | None = session.info[_KNOWN_AS]
    return known_as


def forgettable() -> ColumnElement[object]:
    """As a column that a statement returns, lets its transaction, if a row was found, commit without waiting for the
    disk.

    For claims alone: after a crash of the server they may never have happened. A lost claim is claimed again, like one
    of a process that died; any conclusion based on a claim reaches the disk together with it.
    """
    return func.set_config("synchronous_commit", "off", True)


@asynccontextmanager
async def open_database(url: str, pool_size: int = 20) -> AsyncIterator[Database]:
    """The database behind a URL; it connects when first needed. Raises ConfigError for a wrong URL."""
    database = Database(parsed(url), pool_size)
    try:
        yield database
    finally:
        await database.close()
