"""Detects connections that cannot be trusted with a fact: lost while idle, or left in autocommit."""

import select
from time import monotonic

import psycopg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

_TRUSTED = 5.0
"""Seconds for which a connection that was just used counts as alive unless its socket shows otherwise.

A server that stops closes its sockets, which shows at once and costs nothing to see; asking it each time would take a
quarter of the time of a small transaction. A server that vanishes without closing its sockets shows at the next query.
"""
_USED = "used"


def watched(engine: AsyncEngine) -> AsyncEngine:
    """The engine, with a pool that replaces dead connections before it hands them out."""
    dialect = engine.sync_engine.dialect

    def used(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED] = monotonic()

    def wanted(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if _autocommits(connection):  # what is begun on it would not be undone
            raise InvalidatePoolError
        if monotonic() - entry.info.get(_USED, 0.0) < _TRUSTED and _silent(connection):
            return
        try:
            dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    for name in ("connect", "checkin"):
        event.listen(engine.sync_engine, name, used)
    event.listen(engine.sync_engine, "checkout", wanted)
    return engine


def _autocommits(connection: DBAPIConnection) -> bool:
    """Whether its last user failed to switch autocommit off again."""
    driver: object = connection.driver_connection
    return isinstance(driver, psycopg.AsyncConnection) and driver.autocommit


def _silent(connection: DBAPIConnection) -> bool:
    """Whether nothing arrived from the server while the connection was idle: neither its end nor a last message."""
    driver: object = connection.driver_connection
    if not isinstance(driver, psycopg.AsyncConnection) or driver.closed:
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not poll.poll(0)
