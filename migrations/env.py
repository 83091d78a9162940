"""Runs migrations over the connection that `db.migrate` hands over, or, for `alembic revision`, `-x url=…`."""

from typing import Literal

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection

from db.connection_url import parsed
from db.migrate import blocking_engine
from db.schema_changes import record
from db.tables import Name, Table, Words


def run(connection: Connection) -> None:
    def ran(ctx: MigrationContext, step: MigrationInfo, heads: object, run_args: object) -> None:
        record(connection, step)

    context.configure(
        connection=connection, target_metadata=Table.metadata, render_item=_rendered, on_version_apply=ran
    )
    with context.begin_transaction():
        context.run_migrations()


def _rendered(kind: str, item: object, _: object) -> str | Literal[False]:
    """A migration says what PostgreSQL holds, not how we write it: our own types may change later."""
    return "sa.Text()" if kind == "type" and isinstance(item, Name | Words) else False


def main() -> None:
    handed = context.config.attributes.get("connection")
    if handed is not None:
        run(handed)
        return
    url = context.get_x_argument(as_dictionary=True).get("url")
    if url is None:
        raise SystemExit("say which database: alembic -x url=postgresql://… revision --autogenerate -m …")
    with blocking_engine(parsed(url)).begin() as connection:
        run(connection)


main()
