"""The processes that work on this database."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table


class ProcessRow(Table):
    """A process that has claimed work, for as long as it lives; it holds the advisory lock of its number.

    Whoever finds the row, and the lock free, knows that it died.
    """

    __tablename__ = "processes"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    since: Mapped[datetime]
