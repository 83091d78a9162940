"""Statements on the tables themselves, and the rows that these return as objects of the mapped classes.

SQLAlchemy copies an UPDATE of a mapped class for every call, and derives the key of its compiled form anew: for a claim
that costs more than all else that is done for it here. An UPDATE that names nothing but tables keeps its key.
"""

from typing import Any, TypeVar

from sqlalchemy import BigInteger, Row, TableClause, column, table
from sqlalchemy.types import TypeEngine

from db.tables.base import Table

Mapped = TypeVar("Mapped", bound=Table)


def plain(cte: str, **columns: TypeEngine[Any]) -> TableClause:
    """The statement's CTE of that name, with its `id` and these columns: by name, for the CTE is of mapped classes."""
    return table(cte, column("id", BigInteger()), *(column(name, kind) for name, kind in columns.items()))


def read(mapped: type[Mapped], row: Row[Any]) -> Mapped:
    """The returned row as an object of no session: changing it changes nothing in the database."""
    values = row._mapping
    return mapped(**{column.name: values[column] for column in mapped.__table__.c})
