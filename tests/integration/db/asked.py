"""The statements that a database is asked, and its plan for each."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import event
from sqlalchemy.engine import Connection

from db.engine import Database

LARGE = ("conversations", "decisions", "examples", "messages", "notes", "posts", "presses", "reactions")
"""The tables that grow with what people say."""
_SCANS = ("Seq Scan", "Index Scan", "Index Only Scan")
_PARTIAL = "SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL"
_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@dataclass(frozen=True, slots=True)
class Asked:
    """Statements with the values of their first time."""

    statements: dict[str, object] = field(default_factory=dict)

    async def scans(self, database: Database) -> list[str]:
        """Statements that read a large table, or a whole index of one, and their plans."""
        found = []
        async with database.transaction() as session:
            connection = await session.connection()
            partial = set((await connection.exec_driver_sql(_PARTIAL)).scalars())
            for statement, values in self.statements.items():
                explained = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values)  # type: ignore[arg-type]
                [top] = explained.scalar_one()
                through = sorted(set(_read_through(top["Plan"], partial)))
                if through:
                    found.append(f"{', '.join(through)}: {' '.join(statement.split())}")
        return found


def _read_through(node: Mapping[str, object], partial: Collection[str]) -> Iterator[str]:
    """Large tables that are read without a condition which an index answers."""
    table, index = node.get("Relation Name"), node.get("Index Name")
    bounded = "Index Cond" in node or index in partial or ("Filter" not in node and index is not None)
    if table in LARGE and node["Node Type"] in _SCANS and not bounded:
        yield str(table)
    inner = node.get("Plans", [])
    assert isinstance(inner, list)
    for one in inner:
        yield from _read_through(one, partial)


@asynccontextmanager
async def asked(database: Database) -> AsyncIterator[Asked]:
    """The statements that this database is asked while the context lasts."""
    heard, engine = Asked(), database._engine.sync_engine

    def note(_connection: Connection, _cursor: object, statement: str, values: object, *_more: object) -> None:
        if statement.lstrip().upper().startswith(_PLANNED) and not (isinstance(values, Sequence) and not values):
            heard.statements.setdefault(statement, values)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield heard
    finally:
        event.remove(engine, "before_cursor_execute", note)
