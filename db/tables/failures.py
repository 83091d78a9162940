"""Items of work that failed."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table, Words, new_id, to


class FailedItemRow(Table):
    """An item of a step's work that failed at least once and has not succeeded since."""

    __tablename__ = "failed_items"
    __table_args__ = (
        UniqueConstraint("step", "item"),
        Index("ix_failed_items_set_aside", "step", postgresql_where=text("set_aside_at IS NOT NULL")),
    )

    id: Mapped[int] = new_id()
    step: Mapped[str]
    item: Mapped[str]
    conversation_id: Mapped[int | None] = to("conversations.id")
    reason: Mapped[str] = mapped_column(Words)
    """The kind of error and our own words; never what people wrote."""
    attempts: Mapped[int]
    """Failures that the item itself caused."""
    waits: Mapped[int]
    """Attempts that failed because another service did not answer."""
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    not_before: Mapped[datetime | None]
    """When it is tried next; None once it is set aside."""
    set_aside_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    """Somebody decided that it is never tried again."""
    fact: Mapped[dict[str, object] | None]
    """The fact that could not be stored, for the step `intake` alone."""
