"""The way to PostgreSQL: one pool, transactions that speak the domain's errors, and connections for waiting."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, ColumnElement, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from bot.domain.errors import ConfigError, Refused, Unreachable
from bot.domain.ports import Change
from db.server.pool_health import watched

CHANNEL = "switchboard"
"""Where every transaction that changed something says so."""

_TIMEOUTS = "-c statement_timeout=15s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
_ALIVE = {"connect_timeout": "5", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}


def parsed(url: str) -> URL:
    """The URL as SQLAlchemy with psycopg wants it. Raises ConfigError when it is none of PostgreSQL's."""
    try:
        found = make_url(url)
    except ArgumentError:
        raise ConfigError(["database.url: not a URL; write postgresql://user:password@host/name"]) from None
    if found.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(["database.url: only PostgreSQL is supported; write postgresql://user:password@host/name"])
    return found.set(drivername="postgresql+psycopg")


def conninfo(url: URL) -> str:
    """The same URL for libpq."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what PostgreSQL says into Unreachable (again later) or Refused (never).

    Neither carries the server's own words: they may quote a row, and a row holds what people wrote.
    """
    try:
        yield
    except PoolTimeout as error:
        raise Unreachable("database: every connection is busy") from error
    except (OperationalError, InterfaceError) as error:
        raise Unreachable(f"database: {_named(error.orig)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unreachable(f"database: {_named(error.orig)}") from error
        raise Refused(f"database: {_named(error.orig)}") from None
    except psycopg.OperationalError as error:
        raise Unreachable(f"database: {_named(error)}") from error


def _named(error: BaseException | None) -> str:
    if not isinstance(error, psycopg.Error):
        return type(error).__name__
    where = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
    return " ".join([type(error).__name__, *(part for part in where if part)])


class Database:
    """An open PostgreSQL database. Safe for concurrent use."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Commits at its end, rolls back on any error. Raises Unreachable or Refused."""
        with translated():
            async with self._sessions.begin() as session:
                yield session

    async def ping(self) -> None:
        """Return when the database answers. Raises Unreachable."""
        async with self.transaction() as session:
            await session.execute(text("SELECT 1"))

    async def dedicated(self) -> psycopg.AsyncConnection:
        """A connection outside the pool, for waiting or holding a lock; the caller closes it. Raises Unreachable."""
        with translated():
            whole = make_conninfo(conninfo(self._engine.url), application_name="switchboard waits", **_ALIVE)
            return await psycopg.AsyncConnection.connect(whole, autocommit=True)


def announcement(*changes: Change) -> ColumnElement[object]:
    """What tells every process, once the transaction commits, what changed.

    Among what a statement returns, it tells only if the statement found something to do.
    """
    return func.pg_notify(CHANNEL, " ".join(changes))


async def announce(session: AsyncSession, *changes: Change) -> None:
    """Tell every process, once this transaction commits, what changed."""
    await session.execute(select(announcement(*changes)))


def forgettable() -> ColumnElement[object]:
    """Among what a statement returns: commits its transaction, if it found something, without waiting for the disk.

    For claims alone: after a crash of the server they may never have happened. A claim that is forgotten is claimed
    again, as one whose process died; whatever is concluded upon it reaches the disk together with it.
    """
    return func.set_config("synchronous_commit", "off", True)


@asynccontextmanager
async def open_database(url: str, pool_size: int = 20) -> AsyncIterator[Database]:
    """The database behind a URL; nothing is connected before it is needed. Raises ConfigError for a wrong URL."""
    engine = create_async_engine(
        parsed(url),
        pool_size=pool_size,
        max_overflow=0,  # opening a connection in a burst costs more than waiting for one
        pool_timeout=10,
        hide_parameters=True,  # an error's text must not quote what people wrote
        connect_args={"options": _TIMEOUTS, "application_name": "switchboard", **_ALIVE},
    )
    try:
        yield Database(watched(engine))  # after a restart of the server the first fact must not be refused
    finally:
        await engine.dispose()
