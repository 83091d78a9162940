"""Whether a program fits a schema that is newer than itself: it does where everything that came since only added.

A migration that takes away or changes what older programs need says so, `contracts = "…"`, beside its `revision`.
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
    """Remember that this migration was run, or taken back. Those before the table came are not remembered."""
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
    """Revision -> what it contracts, of the changes that a program which knows these revisions does not know."""
    if not inspect(connection).has_table(SchemaChangeRow.__tablename__):
        return {}
    found = connection.execute(select(SchemaChangeRow.revision, SchemaChangeRow.contracts))
    return {revision: contracts for revision, contracts in found if revision not in set(known)}


def must_fit(changes: Mapping[str, str]) -> None:
    """Raises UsageError naming what was taken away from under an older program."""
    if gone := {revision: why for revision, why in sorted(changes.items()) if why}:
        told = "; ".join(f"{revision}: {why}" for revision, why in gone.items())
        raise UsageError(
            f"the database is newer than this Switchboard, which cannot work on it any more ({told}); install the "
            "newer version, or restore a backup from before"
        )
