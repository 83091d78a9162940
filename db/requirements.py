"""What a database must fulfil before it can be ours, checked before the schema is touched."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from bot.domain.errors import Unreachable, UsageError
from db.connection_url import Target

_OLDEST = 13
_FACTS = text("""
SELECT current_setting('server_version_num')::int / 10000 AS version,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
       current_schema()::text AS schema,
       current_user::text AS role,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') AS has_vector,
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS offers_vector
""")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server reports about itself."""

    version: int
    encoding: str
    read_only: bool
    schema: str | None
    role: str
    has_vector: bool
    offers_vector: bool


def require(connection: Connection, target: Target) -> Facts:
    """Check the requirements and return the facts. Raises UsageError or Unreachable, which says what to mend."""
    facts = Facts(*connection.execute(_FACTS).one())
    where = f"database {target.place}"
    if facts.version < _OLDEST:
        raise UsageError(f"{where}: PostgreSQL {facts.version} is too old; {_OLDEST} or newer is needed")
    if facts.encoding != "UTF8":
        how = "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        raise UsageError(f"{where}: its encoding {facts.encoding} cannot hold what people write; make one with {how}")
    if facts.read_only:
        raise Unreachable(f"{where}: it may only be read, as a standby; name the primary in database.url")
    if facts.schema is None:
        raise UsageError(f"{where}: its search_path names no schema that exists; make one, or mend the path")
    if not facts.has_vector and not facts.offers_vector:
        raise UsageError(f"{where}: the server lacks pgvector; install it there (postgresql-{facts.version}-pgvector)")
    return facts


def missing_right(facts: Facts | None, target: Target) -> UsageError:
    """The error about a right that the user lacks, with how an administrator can grant it."""
    if facts is None:
        return UsageError(f"database {target.place}: the user has too few rights")
    if not facts.has_vector:
        return UsageError(
            f"database {target.place}: only an administrator may add pgvector to it; "
            "let one run there, once: CREATE EXTENSION vector"
        )
    return UsageError(
        f"database {target.place}: the user may not make or change the tables in schema {facts.schema}; let an "
        f"administrator run there: GRANT CREATE, USAGE ON SCHEMA {facts.schema} TO {facts.role}, or own the tables"
    )
