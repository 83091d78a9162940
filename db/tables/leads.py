"""What leads are told about trainings and candidates in the shadow, and how they respond."""

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
    """Whether nobody has decided on it, and no other card superseded it."""


class CyclePostRow(Table):
    """A post that tells leads about a learning cycle: its progress, and in the end its result."""

    __tablename__ = "cycle_posts"
    __table_args__ = (UniqueConstraint("post_id"), Index(None, "cycle_id"))

    id: Mapped[int] = new_id()
    cycle_id: Mapped[int] = to("cycles.id")
    post_id: Mapped[int] = to("posts.id")


class ShadowRulingRow(Table):
    """A press on such a card, with its effect and its author; rows are only added."""

    __tablename__ = "shadow_rulings"
    __table_args__ = (Index(None, "task", "adapter"),)

    id: Mapped[int] = new_id()
    task: Mapped[str]
    adapter: Mapped[str]
    ruling: Mapped[str]
    """A `shadow_card.Ruling`; `refused` if the person was not allowed to."""
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
    """The pointer's row when the trial began: once the pointer has moved, the trial is over."""
    share: Mapped[float] = mapped_column(Float)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    how: Mapped[str | None]
    """A `canary.End`."""
    reason: Mapped[str] = mapped_column(Words, server_default="")
