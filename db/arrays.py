"""Many rows for one statement: one array for each column, so that the statement is the same for any number of rows."""

from typing import Any

from sqlalchemy import TableValuedAlias, bindparam, column, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine


def arrays(**columns: TypeEngine[Any]) -> TableValuedAlias:
    """A table of these columns. Each column is an array parameter of its name, with one value for each row."""
    wanted = [bindparam(name, type_=ARRAY(kind)) for name, kind in columns.items()]
    return func.unnest(*wanted).table_valued(*(column(name, kind) for name, kind in columns.items())).render_derived()
