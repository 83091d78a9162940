"""Many rows handed to one statement: an array a column, so that the statement is the same however many there are."""

from typing import Any

from sqlalchemy import TableValuedAlias, bindparam, column, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine


def arrays(**columns: TypeEngine[Any]) -> TableValuedAlias:
    """A table of these columns; each is a parameter of its name, with a value a row."""
    wanted = [bindparam(name, type_=ARRAY(kind)) for name, kind in columns.items()]
    return func.unnest(*wanted).table_valued(*(column(name, kind) for name, kind in columns.items())).render_derived()
