"""Which workspace a database belongs to."""

from sqlalchemy import CheckConstraint, Text, true
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table


class WorkspaceRow(Table):
    """The workspace that owns everything here: one row for ever, so that two can never share a database."""

    __tablename__ = "workspace"
    __table_args__ = (CheckConstraint("sole", name="one_workspace"),)

    sole: Mapped[bool] = mapped_column(primary_key=True, server_default=true())
    name: Mapped[str] = mapped_column(Text)
    """Empty: the workspace without a name."""
