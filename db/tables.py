"""The schema: what people said, what was decided, what we owe, and what was learned."""

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

MAX_NAME = 150
"""Characters of an identifier that we keep: four of them, at four bytes a character, still fit into one index entry."""


def storable(written: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL is dropped, a lone surrogate becomes "?"."""
    return written.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


class Words(TypeDecorator[str]):
    """Text of any length, made storable on its way in."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Name(TypeDecorator[str]):
    """An identifier: storable, and short enough to be indexed whatever a stranger sends."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)[:MAX_NAME]


class Table(DeclarativeBase):
    """Every table: names plural, constraints named by rule, times with their zone."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        str: Name,
        datetime: DateTime(timezone=True),
        dict[str, float]: JSONB,
        dict[str, str]: JSONB,
        dict[str, object]: JSONB,
        list[int]: ARRAY(BigInteger),
        list[str]: ARRAY(Words),
    }


def _id() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(always=True), primary_key=True)


def _to(column: str) -> Mapped[Any]:
    return mapped_column(BigInteger, ForeignKey(column))


class ConversationRow(Table):
    """A conversation, and the one lease that keeps all steps but one away from it."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "platform", "chat", "person_id"),
        Index(
            "ix_conversations_undecided",
            "last_at",
            postgresql_where=text("state IN ('new', 'asked')"),
        ),
    )

    id: Mapped[int] = _id()
    platform: Mapped[str]
    chat: Mapped[str]
    thread: Mapped[str | None]
    person_id: Mapped[str]
    person_name: Mapped[str]
    language: Mapped[str | None]
    state: Mapped[str]
    started_at: Mapped[datetime]
    last_at: Mapped[datetime]
    """When its newest message was written."""
    version: Mapped[int]
    asked: Mapped[bool]
    asked_at: Mapped[datetime | None]
    asked_version: Mapped[int | None]
    """The version when the question was asked: a greater one means news."""
    asked_for_words: Mapped[bool]
    resting: Mapped[bool]
    """There is nothing to read yet: no work until the next message."""
    label: Mapped[str | None]
    text: Mapped[str | None] = mapped_column(Words)
    """What was classified: the text of the example that a correction or a tap makes of it."""
    vector: Mapped[list[float] | None] = mapped_column(Vector())
    embedder: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]


class MessageRow(Table):
    """What a person wrote. Not concluded: neither decided upon nor relayed yet."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("platform", "chat", "message_id"),
        Index(None, "platform", "chat", "thread"),
        Index(None, "conversation_id", "at", "id"),
        Index("ix_messages_waiting", "conversation_id", postgresql_where=text("concluded_at IS NULL")),
    )

    id: Mapped[int] = _id()
    conversation_id: Mapped[int] = _to("conversations.id")
    platform: Mapped[str]
    chat: Mapped[str]
    message_id: Mapped[str]
    thread: Mapped[str | None]
    author_id: Mapped[str]
    author_name: Mapped[str]
    language: Mapped[str | None]
    text: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime]
    concluded_at: Mapped[datetime | None]


class ReactionRow(Table):
    """An emoji put on a message or taken away: a fact that is never changed. Concluded: somebody looked at it."""

    __tablename__ = "reactions"
    __table_args__ = (
        UniqueConstraint(
            "platform", "chat", "message_id", "actor_id", "emoji", "added", "at", name="uq_reactions_event"
        ),
        Index("ix_reactions_waiting", "platform", "chat", "message_id", postgresql_where=text("concluded_at IS NULL")),
    )

    id: Mapped[int] = _id()
    platform: Mapped[str]
    chat: Mapped[str]
    message_id: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    language: Mapped[str | None]
    emoji: Mapped[str]
    added: Mapped[bool]
    at: Mapped[datetime]
    concluded_at: Mapped[datetime | None]


class PressRow(Table):
    """A button pressed."""

    __tablename__ = "presses"
    __table_args__ = (
        UniqueConstraint("platform", "chat", "message_id", "actor_id", "value", "at", name="uq_presses_event"),
        Index("ix_presses_waiting", "platform", "chat", "message_id", postgresql_where=text("concluded_at IS NULL")),
    )

    id: Mapped[int] = _id()
    platform: Mapped[str]
    chat: Mapped[str]
    message_id: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    language: Mapped[str | None]
    value: Mapped[str]
    at: Mapped[datetime]
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
        Index("ix_posts_pending", "conversation_id", "platform", "chat", "id", postgresql_where=_PENDING),
    )

    id: Mapped[int] = _id()
    conversation_id: Mapped[int | None] = _to("conversations.id")
    platform: Mapped[str]
    chat: Mapped[str]
    thread: Mapped[str | None]
    kind: Mapped[str]
    content: Mapped[dict[str, object]]
    edits: Mapped[int | None] = _to("posts.id")
    under: Mapped[int | None] = _to("posts.id")
    owed_at: Mapped[datetime]
    not_before: Mapped[datetime]
    attempts: Mapped[int]
    leased_until: Mapped[datetime | None]
    said_at: Mapped[datetime | None]
    receipt_chat: Mapped[str | None]
    receipt_id: Mapped[str | None]
    given_up_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(Words)


class DecisionRow(Table):
    """Every decision ever made: only added to."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "conversation_id", "id"), Index(None, "task", "label", "by"))

    id: Mapped[int] = _id()
    conversation_id: Mapped[int] = _to("conversations.id")
    task: Mapped[str]
    label: Mapped[str]
    by: Mapped[str]
    reason: Mapped[str]
    probabilities: Mapped[dict[str, float]]
    adapter: Mapped[str | None]
    evidence: Mapped[list[int]]
    candidates: Mapped[list[str]]
    actor: Mapped[str | None]
    at: Mapped[datetime]


class CorrectionRow(Table):
    """What leads ruled. At most one row a conversation stands; the others were withdrawn, never deleted."""

    __tablename__ = "corrections"
    __table_args__ = (
        Index("uq_corrections_standing", "conversation_id", unique=True, postgresql_where=text("withdrawn_at IS NULL")),
    )

    id: Mapped[int] = _id()
    conversation_id: Mapped[int] = _to("conversations.id")
    before: Mapped[str | None]
    label: Mapped[str]
    lead: Mapped[str]
    """`platform:id`."""
    at: Mapped[datetime]
    confirms: Mapped[bool]
    disputed: Mapped[bool]
    withdrawn_at: Mapped[datetime | None]


class ExampleRow(Table):
    """A labelled text; with a vector it is part of the memory."""

    __tablename__ = "examples"
    __table_args__ = (
        Index(
            "uq_examples_file",
            "task",
            "text_key",
            "label",
            "source",
            unique=True,
            postgresql_where=text("conversation_id IS NULL"),
        ),
        Index(
            "uq_examples_ruling",
            "conversation_id",
            "task",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL AND source IN ('correction', 'confirmation')"),
        ),
        Index(
            "uq_examples_tap",
            "conversation_id",
            "task",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL AND source = 'tap'"),
        ),
        Index(None, "task", "text_key"),
        Index(None, "embedder", "id", postgresql_where=text("withdrawn_at IS NULL")),
    )

    id: Mapped[int] = _id()
    task: Mapped[str]
    text: Mapped[str] = mapped_column(Words)
    text_key: Mapped[str]
    label: Mapped[str]
    source: Mapped[str]
    side: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    conversation_id: Mapped[int | None] = _to("conversations.id")
    vector: Mapped[list[float] | None] = mapped_column(Vector())
    embedder: Mapped[str | None]
    quarantined: Mapped[bool]
    withdrawn_at: Mapped[datetime | None]


class AdapterRow(Table):
    """A trained LoRA."""

    __tablename__ = "adapters"

    task: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(Words)
    base: Mapped[str] = mapped_column(Words)
    codes: Mapped[dict[str, str]]
    temperature: Mapped[float]
    made_at: Mapped[datetime]


class PromotionRow(Table):
    """Where the pointer to the serving adapter has been; the newest row is where it is."""

    __tablename__ = "promotions"
    __table_args__ = (Index(None, "task", "id"),)

    id: Mapped[int] = _id()
    task: Mapped[str]
    adapter: Mapped[str]
    by: Mapped[str]
    reason: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime]
    previous: Mapped[int | None] = _to("promotions.id")
    """The row a rollback goes back to."""


class LabelCodeRow(Table):
    """The code of a label with a base model, given for life: rows are never changed nor deleted."""

    __tablename__ = "label_codes"
    __table_args__ = (UniqueConstraint("base", "task", "code"),)

    base: Mapped[str] = mapped_column(Words, primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]


class CycleRow(Table):
    """A learning cycle, from request to verdict."""

    __tablename__ = "cycles"
    __table_args__ = (
        UniqueConstraint("task", "key"),
        Index("uq_cycles_waiting", "task", unique=True, postgresql_where=text("phase = 'requested'")),
    )

    id: Mapped[int] = _id()
    task: Mapped[str]
    key: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    phase: Mapped[str]
    progress: Mapped[float]
    adapter: Mapped[str | None]
    started_at: Mapped[datetime | None]
    """When its training set was drawn up."""
    concluded_at: Mapped[datetime | None]
    promoted: Mapped[bool | None]
    reasons: Mapped[list[str]]
    figures: Mapped[dict[str, float]]
    problem: Mapped[str] = mapped_column(Words)
