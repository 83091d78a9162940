"""What a migration does to the schema, from the operations in its code; nothing is run on a database."""

import re
from collections.abc import Iterator
from io import StringIO

from alembic.operations import Operations
from alembic.operations import ops as asked
from alembic.runtime.migration import MigrationContext
from alembic.script import Script

_SQL = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|VIEW|TYPE|CONSTRAINT)\b|\bRENAME\b|\bSET\s+NOT\s+NULL\b|\bALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE\b"
    r"|\bADD\s+(CONSTRAINT|CHECK|UNIQUE)\b|\bCREATE\s+UNIQUE\b",
    re.IGNORECASE,
)


def contractions(script: Script) -> list[str]:
    """What this migration removes or changes that a program of the previous version needs."""
    found = list(_operations(script))
    new = {one.table_name for one in found if isinstance(one, asked.CreateTableOp)}
    return [said for one in found for said in _contractions(one, new)]


def _operations(script: Script) -> list[asked.MigrateOperation]:
    """The operations of its `upgrade`. They become SQL that is not run."""
    found: list[asked.MigrateOperation] = []
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": StringIO()})
    with Operations.context(context) as op:
        invoke = op.invoke

        def noted(operation: asked.MigrateOperation) -> object:
            found.append(operation)
            return invoke(operation)

        op.invoke = noted  # type: ignore[method-assign,assignment]  # migrations use this very object
        script.module.upgrade()
    return found


def _contractions(operation: asked.MigrateOperation, new: set[str]) -> Iterator[str]:
    match operation:
        case asked.DropTableOp() | asked.RenameTableOp():
            yield f"table {operation.table_name} goes"
        case asked.DropColumnOp():
            yield f"column {operation.table_name}.{operation.column_name} goes"
        case asked.AddColumnOp(column=column) if not column.nullable and column.server_default is None:
            yield f"column {operation.table_name}.{column.name} is wanted of whoever does not know it"
        case asked.AlterColumnOp():
            yield from _of_a_column(operation)
        case asked.DropIndexOp() if str(operation.index_name).startswith("uq_"):
            yield f"index {operation.index_name} is no longer there to be in conflict with"
        case asked.CreateIndexOp() if operation.unique and operation.table_name not in new:
            yield f"index {operation.index_name} forbids what was allowed"
        case asked.AddConstraintOp() | asked.DropConstraintOp() if getattr(operation, "table_name", "") not in new:
            yield f"a constraint of {getattr(operation, 'table_name', '')} is another"
        case asked.ExecuteSQLOp(sqltext=text) if found := _SQL.search(str(text)):
            yield f"SQL says {found[0].upper()}"


def _of_a_column(operation: asked.AlterColumnOp) -> Iterator[str]:
    name = f"{operation.table_name}.{operation.column_name}"
    if operation.modify_nullable is False:
        yield f"column {name} may no longer be empty"
    if operation.modify_type is not None or operation.modify_name is not None:
        yield f"column {name} has another type or name"
    if operation.modify_server_default is None:
        yield f"column {name} has no default any more"
