"""Whether a program fits a schema newer than itself: it does if every later migration only added.

A migration that takes away or changes what older programs need says so with `contracts = "…"` beside its `revision`.
"""

from collections.abc import Iterable, Mapping

from alembic.runtime.migration import MigrationInfo
from alembic.script import Script
from sqlalchemy import Connection, delete, inspect, select
from sqlalchemy.dialects.postgresql import insert

from bot.domain.errors import UsageError
from db.tables.schema import SchemaChangeRow


def contracts_of(script: Script) -> str:
    """What older programs can no longer do after this migration; empty: it only adds."""
    return str(getattr(script.module, "contracts", ""))


def record(connection: Connection, step: MigrationInfo) -> None:
    """Record that this migration was run, or taken back. Migrations before the table existed are not recorded."""
    if not inspect(connection).has_table(SchemaChangeRow.__tablename__):
        return
    script = step.up_revision
    if not isinstance(script, Script):
        return
    revision = script.revision
    if step.is_upgrade:
        row = {"revision": revision, "contracts": contracts_of(script)}
        connection.execute(insert(SchemaChangeRow).values(row).on_conflict_do_nothing())
    else:
        connection.execute(delete(SchemaChangeRow).where(SchemaChangeRow.revision == revision))


def ahead(connection: Connection, known: Iterable[str]) -> Mapping[str, str]:
    """Revision -> what it contracts, for the changes in the database that are not among the `known` revisions."""
    if not inspect(connection).has_table(SchemaChangeRow.__tablename__):
        return {}
    found = connection.execute(select(SchemaChangeRow.revision, SchemaChangeRow.contracts))
    return {revision: contracts for revision, contracts in found if revision not in set(known)}


def must_fit(changes: Mapping[str, str]) -> None:
    """Raise UsageError if a newer migration took away what older programs need; name what it took."""
    if gone := {revision: why for revision, why in sorted(changes.items()) if why}:
        told = "; ".join(f"{revision}: {why}" for revision, why in gone.items())
        raise UsageError(
            f"the database is newer than this Switchboard, which cannot work on it any more ({told}); install the "
            "newer version, or restore a backup from before"
        )
