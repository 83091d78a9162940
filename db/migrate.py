"""The schema, brought to the newest version."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import UsageError
from db.connect import Session, connected_now
from db.connection_url import Target, parsed
from db.engine import DRIVER, translated
from db.requirements import Facts, missing_right, require
from db.schema_changes import ahead, must_fit

log = logging.getLogger(__name__)

_MIGRATING = 7_101_883_203
"""The advisory lock that a migrating process holds."""
_SCRIPTS = Path(__file__).parents[1] / "migrations"


def upgrade(url: str) -> bool:
    """Bring the database to the newest schema that this version knows; False: it is newer. Blocks; any number may call
    it.

    A database that a newer Switchboard migrated further stays as it is if the newer migrations only added, so that old
    and new processes may run side by side. Raises Unreachable; UsageError when the database cannot be ours, or when a
    newer Switchboard took away something this version needs.
    """
    with _alone(url) as connection:
        config = configuration(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if newer := ahead(connection, known):
            must_fit(newer)
            log.warning("database is newer than this version, and fits", extra={"newer": sorted(newer)})
            return False
        command.upgrade(config, "head")
        return True


def downgrade(url: str, to: str = "base") -> None:
    """Migrate the schema back, deleting the data it held. For tests and for people who know what they do."""
    with _alone(url) as connection:
        command.downgrade(configuration(connection), to)


def configuration(connection: Connection) -> Config:
    """Alembic's configuration: where the migrations lie and which connection runs them."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def blocking_engine(target: Target) -> Engine:
    """The engine for Alembic: a new connection each time, without the time limit of the bot's own statements."""
    found: list[Session] = []

    def opened() -> psycopg.Connection:
        connection, session = connected_now(target, "switchboard migrates")
        found[:] = [session]
        return connection

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(found[0].statement(local=True))
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")

    engine = create_engine(DRIVER, creator=opened, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", begun)
    return engine


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """A connection while no other process migrates; its work is committed at the end, all or nothing."""
    target = parsed(url)
    facts: list[Facts] = []
    with translated(target.place), _explained(target, facts), blocking_engine(target).begin() as connection:
        facts.append(require(connection, target))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        yield connection


@contextmanager
def _explained(target: Target, facts: list[Facts]) -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise UsageError(f"the database's schema is not one this Switchboard knows: {error}") from error
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise missing_right(facts[0] if facts else None, target) from error
        raise
