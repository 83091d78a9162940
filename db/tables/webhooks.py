"""Events for other programs, and the webhooks that receive them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table, new_id

_WAITING = text("sent_at IS NULL AND given_up_at IS NULL")


class WebhookRow(Table):
    """A webhook of the settings, for the triggers. Its address and secret are not stored here."""

    __tablename__ = "webhooks"

    name: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[list[str]]


class WebhookEventRow(Table):
    """An event for one webhook: written by triggers, without any words that people wrote."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        Index("ix_webhook_events_waiting", "webhook", "id", postgresql_where=_WAITING),
        Index("ix_webhook_events_line", "webhook", "line", "id", postgresql_where=_WAITING),
        Index(None, "webhook", "at"),
    )

    id: Mapped[int] = new_id()
    event_id: Mapped[UUID]
    """The same for every webhook that gets the event, and for every attempt to send it."""
    webhook: Mapped[str]
    kind: Mapped[str]
    conversation_id: Mapped[int | None] = mapped_column(BigInteger)
    line: Mapped[str]
    """Events in one line are sent one after the other: those of a conversation, or of a task's models."""
    at: Mapped[datetime]
    data: Mapped[dict[str, object]]
    leased_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
