"""What leads are told of trainings and of candidates in the shadow, and what they said to that."""

from datetime import datetime

from sqlalchemy import Float, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table, Words, new_id, to


class ShadowCardRow(Table):
    """A card of a candidate in the shadow, in one of the leads' rooms."""

    __tablename__ = "shadow_cards"
    __table_args__ = (UniqueConstraint("post_id"), Index(None, "task", "adapter"))

    id: Mapped[int] = new_id()
    post_id: Mapped[int] = to("posts.id")
    task: Mapped[str]
    adapter: Mapped[str]
    open: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether nobody has decided, and it was not superseded."""


class CyclePostRow(Table):
    """A post that tells leads of a learning cycle: how far it is, and in the end what came of it."""

    __tablename__ = "cycle_posts"
    __table_args__ = (UniqueConstraint("post_id"), Index(None, "cycle_id"))

    id: Mapped[int] = new_id()
    cycle_id: Mapped[int] = to("cycles.id")
    post_id: Mapped[int] = to("posts.id")


class ShadowRulingRow(Table):
    """A press on such a card, what it amounted to, and by whom: only added to."""

    __tablename__ = "shadow_rulings"
    __table_args__ = (Index(None, "task", "adapter"),)

    id: Mapped[int] = new_id()
    task: Mapped[str]
    adapter: Mapped[str]
    ruling: Mapped[str]
    """A `shadow_card.Ruling`; by whom it was not allowed, `refused`."""
    wanted: Mapped[str]
    """The value of the button."""
    actor: Mapped[str]
    """`platform:id`."""
    at: Mapped[datetime]


class CanaryRow(Table):
    """A candidate that serves a share of the requests before it serves all of them, or is withdrawn."""

    __tablename__ = "canaries"
    __table_args__ = (Index("uq_canaries_running", "task", unique=True, postgresql_where=text("ended_at IS NULL")),)

    id: Mapped[int] = new_id()
    task: Mapped[str]
    adapter: Mapped[str]
    champion: Mapped[str]
    promotion: Mapped[int] = to("promotions.id")
    """Where the pointer was when it began: once it has moved, nobody is on trial any more."""
    share: Mapped[float] = mapped_column(Float)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    how: Mapped[str | None]
    """A `canary.End`."""
    reason: Mapped[str] = mapped_column(Words, server_default="")
