"""Posts, and what people do to them: reactions and presses."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table, Words, new_id, to


class ReactionRow(Table):
    """An emoji added to a message or removed: a fact that never changes. Concluded: a step has looked at it."""

    __tablename__ = "reactions"
    __table_args__ = (
        UniqueConstraint(
            "platform", "chat", "message_id", "actor_id", "emoji", "added", "at", name="uq_reactions_event"
        ),
        Index(None, "platform", "chat", "message_id"),
        Index(None, "platform", "actor_id"),
        Index("ix_reactions_waiting", "platform", "chat", "message_id", postgresql_where=text("concluded_at IS NULL")),
    )

    id: Mapped[int] = new_id()
    platform: Mapped[str]
    chat: Mapped[str]
    message_id: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    actor_platform: Mapped[str | None]
    """The platform of the actor's id; NULL: the message's own platform."""
    language: Mapped[str | None]
    external: Mapped[bool] = mapped_column(server_default=false())
    emoji: Mapped[str]
    added: Mapped[bool]
    at: Mapped[datetime]
    heard_at: Mapped[datetime]
    """When we received it, by our own clock; `at` is by its platform's."""
    counted: Mapped[bool | None]
    """Whether its actor had the right to what it says, when last looked up."""
    not_before: Mapped[datetime | None]
    """Its actor could not be looked up: it is looked at again then."""
    concluded_at: Mapped[datetime | None]


class PressRow(Table):
    """A button pressed."""

    __tablename__ = "presses"
    __table_args__ = (
        UniqueConstraint("platform", "chat", "message_id", "actor_id", "value", "at", name="uq_presses_event"),
        Index(None, "platform", "actor_id"),
        Index("ix_presses_waiting", "platform", "chat", "message_id", postgresql_where=text("concluded_at IS NULL")),
    )

    id: Mapped[int] = new_id()
    platform: Mapped[str]
    chat: Mapped[str]
    message_id: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    language: Mapped[str | None]
    external: Mapped[bool] = mapped_column(server_default=false())
    value: Mapped[str]
    at: Mapped[datetime]
    heard_at: Mapped[datetime]
    """When we received it, by our own clock."""
    concluded_at: Mapped[datetime | None]


_PENDING = text("said_at IS NULL AND given_up_at IS NULL")


class PostRow(Table):
    """What we owe a chat, until it has a receipt or is given up."""

    __tablename__ = "posts"
    __table_args__ = (
        Index(None, "platform", "chat", "said_at"),
        Index(None, "platform", "receipt_chat", "receipt_id"),
        Index(None, "conversation_id", "id"),
        Index(None, "edits"),
        Index(None, "under"),
        Index(
            "ix_posts_line", text("coalesce(conversation_id, 0)"), "platform", "chat", "id", postgresql_where=_PENDING
        ),
        Index("ix_posts_shown_alone", "platform", postgresql_where=text("only_for IS NOT NULL")),
        Index("ix_posts_answers_chat", "platform", "answers_chat", postgresql_where=text("answers_chat IS NOT NULL")),
        Index("ix_posts_rewordings", "said_at", postgresql_where=text("edits IS NOT NULL AND said_at IS NOT NULL")),
        Index("ix_posts_given_up", "problem", postgresql_where=text("given_up_at IS NOT NULL")),
    )

    id: Mapped[int] = new_id()
    conversation_id: Mapped[int | None] = to("conversations.id")
    platform: Mapped[str]
    chat: Mapped[str]
    thread: Mapped[str | None]
    kind: Mapped[str]
    content: Mapped[dict[str, object]]
    edits: Mapped[int | None] = to("posts.id")
    under: Mapped[int | None] = to("posts.id")
    only_for: Mapped[dict[str, object] | None] = mapped_column(JSONB(none_as_null=True))
    """The one person it is shown to."""
    answers_chat: Mapped[str | None]
    answers_id: Mapped[str | None]
    """The message on that platform that it answers, if that is no post."""
    owed_at: Mapped[datetime]
    not_before: Mapped[datetime]
    attempts: Mapped[int]
    leased_until: Mapped[datetime | None]
    claimed_by: Mapped[int | None] = mapped_column(BigInteger)
    """The process (`ProcessRow`) that claimed it last."""
    said_at: Mapped[datetime | None]
    receipt_chat: Mapped[str | None]
    receipt_id: Mapped[str | None]
    given_up_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(Words)
