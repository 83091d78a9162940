"""The schema's own history."""

from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table


class SchemaChangeRow(Table):
    """A migration that the database has been through, from 0034 on. See `db.schema_changes`."""

    __tablename__ = "schema_changes"

    revision: Mapped[str] = mapped_column(primary_key=True)
    contracts: Mapped[str] = mapped_column(server_default="")
    """What an older program can no longer do because of it, in words; empty: it only added."""
