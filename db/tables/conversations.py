"""Conversations: what people said to us, and what their teams say among themselves."""

from datetime import datetime

from pgvector.sqlalchemy import Vector
from sqlalchemy import BigInteger, Index, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Table, Words, new_id, to

_STALE = text("stale")
_NO_MEDIA = _NOBODY = text("'[]'::jsonb")
_CITING = text("cites <> '[]'::jsonb")


class ConversationRow(Table):
    """A conversation, and the one lease that keeps all steps but one away from it."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "platform", "chat", "person_id"),
        Index(None, "platform", "person_id"),
        Index(None, "taken_by", postgresql_where=text("taken_by IS NOT NULL")),
        Index("ix_conversations_open", "started_at", "id", postgresql_where=text("state IN ('asked', 'routed')")),
        Index(
            "ix_conversations_undecided",
            "heard_at",
            postgresql_where=text("state IN ('new', 'asked')"),
        ),
        Index(
            "ix_conversations_untaken",
            "routed_at",
            postgresql_where=text("state = 'routed' AND taken_by IS NULL AND reminders < 2"),
        ),
        Index("ix_conversations_lacks_answers", "id", postgresql_where=text("lacks_answers")),
        Index("ix_conversations_on_hold", "id", postgresql_where=text("on_hold")),
        Index(
            "ix_conversations_with_vector",
            "closed_at",
            postgresql_where=text("state = 'closed' AND vector IS NOT NULL"),
        ),
        Index(
            "ix_conversations_with_words",
            "closed_at",
            postgresql_where=text("state = 'closed' AND emptied_at IS NULL"),
        ),
    )

    id: Mapped[int] = new_id()
    platform: Mapped[str]
    chat: Mapped[str]
    thread: Mapped[str | None]
    person_id: Mapped[str]
    person_name: Mapped[str]
    language: Mapped[str | None]
    external: Mapped[bool] = mapped_column(server_default=false())
    state: Mapped[str]
    started_at: Mapped[datetime]
    last_at: Mapped[datetime]
    """When its newest message was written, by its platform's clock."""
    heard_at: Mapped[datetime]
    """When we received its newest message, by our own clock."""
    spoken_at: Mapped[datetime | None]
    """When its team last sent the person something, by our own clock."""
    version: Mapped[int]
    asked: Mapped[bool]
    asked_at: Mapped[datetime | None]
    asked_version: Mapped[int | None]
    """The version when the question was asked; a higher version means there is news."""
    asked_for_words: Mapped[bool]
    resting: Mapped[bool]
    """There is nothing to decide yet: no work until the next message."""
    task: Mapped[str | None]
    """The task that routes it; decisions of other tasks do not change its label. None before the first decision."""
    label: Mapped[str | None]
    """The team that has it: a label of that task."""
    text: Mapped[str | None] = mapped_column(Words)
    """The text that was classified; a correction or a tap makes an example of it."""
    vector: Mapped[list[float] | None] = mapped_column(Vector())
    embedder: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[int | None] = mapped_column(BigInteger)
    """The process (`ProcessRow`) that claimed it last."""
    leased_until: Mapped[datetime | None]
    """None: no step holds it; also set to None to take it from a step whose words have changed."""
    closed_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    wanted: Mapped[bool] = mapped_column(server_default=false())
    """Somebody made a request of it."""
    left_at: Mapped[datetime | None]
    """When the person turned to another matter: no message without a thread joins it after that."""
    taken_by: Mapped[str | None]
    """Who took it, `platform:id`."""
    taken_name: Mapped[str | None]
    routed_at: Mapped[datetime | None]
    """When its team got it, or got it again."""
    reminders: Mapped[int] = mapped_column(server_default="0")
    remind_after: Mapped[datetime | None]
    """No reminder is due before this moment; None: one is due as soon as it has waited for long enough."""
    lacks_answers: Mapped[bool] = mapped_column(server_default=false())
    """A further question about it is still to be answered."""
    on_hold: Mapped[bool] = mapped_column(server_default=false())
    """Nothing is sent to the person until somebody of its team has looked."""
    comes_first: Mapped[bool] = mapped_column(server_default=false())
    """It stands before others in lists."""
    take_seconds: Mapped[float | None]
    """How long its team has to take it, if less than the settings say; None: the settings' time counts."""
    erased_at: Mapped[datetime | None]
    emptied_at: Mapped[datetime | None]
    """When its words were removed, long after it was closed; its team and its decisions stay."""


class MessageRow(Table):
    """What a person wrote. Not concluded: neither decided upon nor relayed yet."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("platform", "chat", "message_id"),
        Index(None, "platform", "chat", "thread"),
        Index(None, "conversation_id", "at", "id"),
        Index("ix_messages_waiting", "conversation_id", postgresql_where=text("concluded_at IS NULL")),
        Index("ix_messages_cites", "cites", postgresql_using="gin", postgresql_where=_CITING),
        Index("ix_messages_stale", "conversation_id", postgresql_where=_STALE),
        Index(None, "platform", "author_id"),
        Index(None, "platform", "chat", "at", "id"),
        Index(None, "carried_by", postgresql_where=text("carried_by IS NOT NULL")),
    )

    id: Mapped[int] = new_id()
    conversation_id: Mapped[int] = to("conversations.id")
    platform: Mapped[str]
    chat: Mapped[str]
    message_id: Mapped[str]
    thread: Mapped[str | None]
    author_id: Mapped[str]
    author_name: Mapped[str]
    language: Mapped[str | None]
    external: Mapped[bool] = mapped_column(server_default=false())
    text: Mapped[str] = mapped_column(Words)
    media: Mapped[list[dict[str, object]]] = mapped_column(server_default=_NO_MEDIA)
    opens: Mapped[bool] = mapped_column(server_default=false())
    at: Mapped[datetime]
    concluded_at: Mapped[datetime | None]
    decided: Mapped[bool] = mapped_column(server_default=false())
    """The decision rests on it, so that the card shows it."""
    carried_by: Mapped[int | None] = to("posts.id")
    """The post that passed it on."""
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    stale: Mapped[bool] = mapped_column(server_default=false())
    """It was changed after it had been passed on, and the change was not passed on yet."""
    moved_from: Mapped[str | None]
    """The chat's id when it was said, if the chat has got another one since."""
    cites: Mapped[list[str]] = mapped_column(JSONB, server_default=_NOBODY)
    """The people it cites or mentions, by their ids on its platform: see `bot.domain.citations`."""


class NoteRow(Table):
    """What a team wrote under a card. A table of its own, so that nothing internal is ever taken for a message."""

    __tablename__ = "notes"
    __table_args__ = (
        UniqueConstraint("platform", "chat", "message_id"),
        Index(None, "conversation_id", "at", "id"),
        Index("ix_notes_waiting", "conversation_id", postgresql_where=text("concluded_at IS NULL")),
        Index("ix_notes_cites", "cites", postgresql_using="gin", postgresql_where=_CITING),
        Index("ix_notes_stale", "conversation_id", postgresql_where=_STALE),
        Index("ix_notes_parked", "heard_at", postgresql_where=text("conversation_id IS NULL")),
        Index(None, "platform", "author_id"),
        Index(None, "platform", "chat", "at", "id"),
        Index(None, "platform", "under_chat"),
        Index(None, "carried_by", postgresql_where=text("carried_by IS NOT NULL")),
    )

    id: Mapped[int] = new_id()
    conversation_id: Mapped[int | None] = to("conversations.id")
    """None: parked, because the post it was written under is being said and has no receipt yet."""
    platform: Mapped[str]
    chat: Mapped[str]
    message_id: Mapped[str]
    under_chat: Mapped[str]
    under_id: Mapped[str]
    author_id: Mapped[str]
    author_name: Mapped[str]
    language: Mapped[str | None]
    external: Mapped[bool]
    text: Mapped[str] = mapped_column(Words)
    media: Mapped[list[dict[str, object]]]
    send: Mapped[bool]
    at: Mapped[datetime]
    heard_at: Mapped[datetime]
    not_before: Mapped[datetime | None]
    """Whether its author may send it could not be looked up: it is looked at again then."""
    concluded_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    carried_by: Mapped[int | None] = to("posts.id")
    """The reply that sent it."""
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    stale: Mapped[bool]
    """It was changed after it had been sent, and the change was not passed on yet."""
    cites: Mapped[list[str]] = mapped_column(JSONB, server_default=_NOBODY)
    """The people it cites or mentions, by their ids on its platform: see `bot.domain.citations`."""


class PreferenceRow(Table):
    """The language that a person chose."""

    __tablename__ = "preferences"

    platform: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str]


class MessagePartRow(Table):
    """A message of ours that follows a post (the rest of a long text, an attachment) and stands for that post."""

    __tablename__ = "message_parts"

    platform: Mapped[str] = mapped_column(primary_key=True)
    chat: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    whole_id: Mapped[str]
    """The message in the same chat that it belongs to."""


class LearnedRoomRow(Table):
    """A chat that stands in for a team's room of the settings, because that room takes no posts (a closed topic)."""

    __tablename__ = "learned_rooms"

    platform: Mapped[str] = mapped_column(primary_key=True)
    instead_of: Mapped[str] = mapped_column(primary_key=True)
    chat: Mapped[str]


class MovedChatRow(Table):
    """A chat that has got another id since."""

    __tablename__ = "moved_chats"

    platform: Mapped[str] = mapped_column(primary_key=True)
    before: Mapped[str] = mapped_column(primary_key=True)
    after: Mapped[str]
