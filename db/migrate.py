"""The schema, brought to the newest version."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import UsageError
from db.engine import parsed, translated

_MIGRATING = 7_101_883_203
"""The advisory lock of whoever migrates."""
_SCRIPTS = Path(__file__).parents[1] / "migrations"


def upgrade(url: str) -> None:
    """Bring the database to the newest schema. Any number of processes may call it at once; it blocks.

    Raises Unreachable; UsageError when the database lacks pgvector or belongs to a newer Switchboard.
    """
    with _alone(url) as connection:
        command.upgrade(configuration(connection), "head")


def downgrade(url: str, to: str = "base") -> None:
    """Take the schema back, data included. For tests and for people who know what they do."""
    with _alone(url) as connection:
        command.downgrade(configuration(connection), to)


def configuration(connection: Connection) -> Config:
    """Alembic, told where the migrations lie and over which connection to run them."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """A connection while no other process migrates; what was done is committed at its end, or nothing of it."""
    engine = create_engine(parsed(url), poolclass=NullPool, hide_parameters=True, connect_args={"connect_timeout": 5})
    with translated(), _explained(), engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        yield connection


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise UsageError(f"the database's schema is not one this Switchboard knows: {error}") from error
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.FeatureNotSupported | psycopg.errors.UndefinedFile):
            raise UsageError("the database server lacks pgvector; install it there") from error
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise UsageError("the database user may not make the schema: it needs CREATE on the database") from error
        raise
