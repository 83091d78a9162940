"""Two rooms of one conversation: notes, edits and deletions, who is on it, media, moved chats, chosen languages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_MEDIA = sa.text("'[]'::jsonb")


def upgrade() -> None:
    _conversations()
    _messages()
    _reactions_and_presses()
    _posts()
    _notes()
    _preferences()
    _moved_chats()


def downgrade() -> None:
    op.drop_table("moved_chats")
    op.drop_table("preferences")
    op.drop_table("notes")
    op.drop_index(op.f("ix_posts_under"), "posts")
    for name in ("only_for", "answers_chat", "answers_id"):
        op.drop_column("posts", name)
    op.drop_column("presses", "external")
    op.drop_index(op.f("ix_reactions_platform_chat_message_id"), "reactions")
    op.drop_column("reactions", "external")
    op.drop_index(op.f("ix_messages_platform_author_id"), "messages")
    op.drop_index("ix_messages_stale", "messages")
    op.drop_constraint(op.f("fk_messages_carried_by_posts"), "messages")
    for column in _message_columns():
        op.drop_column("messages", column.name)
    op.drop_index("ix_conversations_untaken", "conversations")
    op.drop_index(op.f("ix_conversations_platform_person_id"), "conversations")
    for column in _conversation_columns():
        op.drop_column("conversations", column.name)


def _conversation_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("external", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.Column("reopened_at", _TIME, nullable=True),
        sa.Column("left_at", _TIME, nullable=True),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("taken_name", sa.Text(), nullable=True),
        sa.Column("routed_at", _TIME, nullable=True),
        sa.Column("reminders", sa.Integer(), server_default="0", nullable=False),
        sa.Column("remind_after", _TIME, nullable=True),
        sa.Column("erased_at", _TIME, nullable=True),
    ]


def _message_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("external", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("media", postgresql.JSONB(astext_type=sa.Text()), server_default=_MEDIA, nullable=False),
        sa.Column("opens", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("decided", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("carried_by", sa.BigInteger(), nullable=True),
        sa.Column("edited_at", _TIME, nullable=True),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.Column("stale", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("moved_from", sa.Text(), nullable=True),
    ]


def _conversations() -> None:
    for column in _conversation_columns():
        op.add_column("conversations", column)
    op.create_index(op.f("ix_conversations_platform_person_id"), "conversations", ["platform", "person_id"])
    op.create_index(
        "ix_conversations_untaken",
        "conversations",
        ["routed_at"],
        postgresql_where=sa.text("state = 'routed' AND taken_by IS NULL AND reminders < 2"),
    )


def _messages() -> None:
    for column in _message_columns():
        op.add_column("messages", column)
    op.create_foreign_key(op.f("fk_messages_carried_by_posts"), "messages", "posts", ["carried_by"], ["id"])
    op.create_index("ix_messages_stale", "messages", ["conversation_id"], postgresql_where=sa.text("stale"))
    op.create_index(op.f("ix_messages_platform_author_id"), "messages", ["platform", "author_id"])
    # Until now a decision rested on what its person had said before it; what was said later was relayed
    op.execute(
        "UPDATE messages SET decided = true FROM conversations"
        " WHERE conversations.id = messages.conversation_id AND messages.concluded_at IS NOT NULL"
        " AND messages.author_id = conversations.person_id"
        " AND messages.at <= (SELECT max(decisions.at) FROM decisions WHERE"
        " decisions.conversation_id = conversations.id AND decisions.by <> 'lead'"
        " AND decisions.reason NOT IN ('corrected', 'withdrawn'))"
    )


def _reactions_and_presses() -> None:
    for table in ("reactions", "presses"):
        op.add_column(table, sa.Column("external", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        op.f("ix_reactions_platform_chat_message_id"), "reactions", ["platform", "chat", "message_id"], unique=False
    )


def _posts() -> None:
    op.add_column("posts", sa.Column("only_for", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("posts", sa.Column("answers_chat", sa.Text(), nullable=True))
    op.add_column("posts", sa.Column("answers_id", sa.Text(), nullable=True))
    op.create_index(op.f("ix_posts_under"), "posts", ["under"])


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("under_chat", sa.Text(), nullable=False),
        sa.Column("under_id", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("media", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("send", sa.Boolean(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("concluded_at", _TIME, nullable=True),
        sa.Column("sent_at", _TIME, nullable=True),
        sa.Column("carried_by", sa.BigInteger(), nullable=True),
        sa.Column("edited_at", _TIME, nullable=True),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_notes_conversation_id_conversations")
        ),
        sa.ForeignKeyConstraint(["carried_by"], ["posts.id"], name=op.f("fk_notes_carried_by_posts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        sa.UniqueConstraint("platform", "chat", "message_id", name=op.f("uq_notes_platform_chat_message_id")),
    )
    _notes_indexes()


def _notes_indexes() -> None:
    op.create_index(op.f("ix_notes_conversation_id_at_id"), "notes", ["conversation_id", "at", "id"])
    op.create_index("ix_notes_waiting", "notes", ["conversation_id"], postgresql_where=sa.text("concluded_at IS NULL"))
    op.create_index("ix_notes_stale", "notes", ["conversation_id"], postgresql_where=sa.text("stale"))
    op.create_index(op.f("ix_notes_platform_author_id"), "notes", ["platform", "author_id"])


def _preferences() -> None:
    op.create_table(
        "preferences",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "person_id", name=op.f("pk_preferences")),
    )


def _moved_chats() -> None:
    op.create_table(
        "moved_chats",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "before", name=op.f("pk_moved_chats")),
    )
