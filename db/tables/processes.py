"""The processes that work on this database."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table


class ProcessRow(Table):
    """A process that has claimed work, for as long as it lives; it holds the advisory lock of its number.

    If the row is there and its lock is free, the process has died.
    """

    __tablename__ = "processes"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    since: Mapped[datetime]
