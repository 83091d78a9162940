"""The first schema."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    _conversations()
    _messages()
    _reactions()
    _presses()
    _posts()
    _decisions()
    _corrections()
    _examples()
    _adapters()
    _promotions()
    _label_codes()
    _cycles()


def downgrade() -> None:
    op.drop_table("cycles")
    op.drop_table("label_codes")
    op.drop_table("promotions")
    op.drop_table("adapters")
    op.drop_table("examples")
    op.drop_table("corrections")
    op.drop_table("decisions")
    op.drop_table("posts")
    op.drop_table("presses")
    op.drop_table("reactions")
    op.drop_table("messages")
    op.drop_table("conversations")
    # The extension stays: others in this database may use it


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("person_name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_version", sa.Integer(), nullable=True),
        sa.Column("asked_for_words", sa.Boolean(), nullable=False),
        sa.Column("resting", sa.Boolean(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("vector", Vector(), nullable=True),
        sa.Column("embedder", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    _conversations_indexes()


def _conversations_indexes() -> None:
    op.create_index(
        op.f("ix_conversations_platform_chat_person_id"),
        "conversations",
        ["platform", "chat", "person_id"],
        unique=False,
    )
    op.create_index(
        "ix_conversations_undecided",
        "conversations",
        ["last_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('new', 'asked')"),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_messages_conversation_id_conversations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("platform", "chat", "message_id", name=op.f("uq_messages_platform_chat_message_id")),
    )
    op.create_index(
        op.f("ix_messages_conversation_id_at_id"), "messages", ["conversation_id", "at", "id"], unique=False
    )
    op.create_index(op.f("ix_messages_platform_chat_thread"), "messages", ["platform", "chat", "thread"], unique=False)
    op.create_index(
        "ix_messages_waiting",
        "messages",
        ["conversation_id"],
        unique=False,
        postgresql_where=sa.text("concluded_at IS NULL"),
    )


def _reactions() -> None:
    op.create_table(
        "reactions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("added", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reactions")),
        sa.UniqueConstraint(
            "platform", "chat", "message_id", "actor_id", "emoji", "added", "at", name="uq_reactions_event"
        ),
    )
    op.create_index(
        "ix_reactions_waiting",
        "reactions",
        ["platform", "chat", "message_id"],
        unique=False,
        postgresql_where=sa.text("concluded_at IS NULL"),
    )


def _presses() -> None:
    op.create_table(
        "presses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presses")),
        sa.UniqueConstraint("platform", "chat", "message_id", "actor_id", "value", "at", name="uq_presses_event"),
    )
    op.create_index(
        "ix_presses_waiting",
        "presses",
        ["platform", "chat", "message_id"],
        unique=False,
        postgresql_where=sa.text("concluded_at IS NULL"),
    )


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("edits", sa.BigInteger(), nullable=True),
        sa.Column("under", sa.BigInteger(), nullable=True),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_chat", sa.Text(), nullable=True),
        sa.Column("receipt_id", sa.Text(), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_posts_conversation_id_conversations")
        ),
        sa.ForeignKeyConstraint(["edits"], ["posts.id"], name=op.f("fk_posts_edits_posts")),
        sa.ForeignKeyConstraint(["under"], ["posts.id"], name=op.f("fk_posts_under_posts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
    )
    _posts_indexes()


def _posts_indexes() -> None:
    op.create_index(op.f("ix_posts_conversation_id_id"), "posts", ["conversation_id", "id"], unique=False)
    op.create_index(op.f("ix_posts_edits"), "posts", ["edits"], unique=False)
    op.create_index(
        "ix_posts_pending",
        "posts",
        ["conversation_id", "platform", "chat", "id"],
        unique=False,
        postgresql_where=sa.text("said_at IS NULL AND given_up_at IS NULL"),
    )
    op.create_index(op.f("ix_posts_platform_chat_said_at"), "posts", ["platform", "chat", "said_at"], unique=False)
    op.create_index(
        op.f("ix_posts_platform_receipt_chat_receipt_id"),
        "posts",
        ["platform", "receipt_chat", "receipt_id"],
        unique=False,
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("probabilities", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=True),
        sa.Column("evidence", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("candidates", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_decisions_conversation_id_conversations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_conversation_id_id"), "decisions", ["conversation_id", "id"], unique=False)
    op.create_index(op.f("ix_decisions_task_label_by"), "decisions", ["task", "label", "by"], unique=False)


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirms", sa.Boolean(), nullable=False),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_corrections_conversation_id_conversations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(
        "uq_corrections_standing",
        "corrections",
        ["conversation_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )


def _examples() -> None:
    op.create_table(
        "examples",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("vector", Vector(), nullable=True),
        sa.Column("embedder", sa.Text(), nullable=True),
        sa.Column("quarantined", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_examples_conversation_id_conversations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examples")),
    )
    _examples_indexes()


def _examples_indexes() -> None:
    op.create_index(
        op.f("ix_examples_embedder_id"),
        "examples",
        ["embedder", "id"],
        unique=False,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index(op.f("ix_examples_task_text_key"), "examples", ["task", "text_key"], unique=False)
    op.create_index(
        "uq_examples_file",
        "examples",
        ["task", "text_key", "label", "source"],
        unique=True,
        postgresql_where=sa.text("conversation_id IS NULL"),
    )
    op.create_index(
        "uq_examples_ruling",
        "examples",
        ["conversation_id", "task"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL AND source IN ('correction', 'confirmation')"),
    )
    op.create_index(
        "uq_examples_tap",
        "examples",
        ["conversation_id", "task"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL AND source = 'tap'"),
    )


def _adapters() -> None:
    op.create_table(
        "adapters",
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("codes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("temperature", sa.Double(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("task", "name", name=op.f("pk_adapters")),
    )


def _promotions() -> None:
    op.create_table(
        "promotions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["previous"], ["promotions.id"], name=op.f("fk_promotions_previous_promotions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_index(op.f("ix_promotions_task_id"), "promotions", ["task", "id"], unique=False)


def _label_codes() -> None:
    op.create_table(
        "label_codes",
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("base", "task", "label", name=op.f("pk_label_codes")),
        sa.UniqueConstraint("base", "task", "code", name=op.f("uq_label_codes_base_task_code")),
    )


def _cycles() -> None:
    op.create_table(
        "cycles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promoted", sa.Boolean(), nullable=True),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cycles")),
        sa.UniqueConstraint("task", "key", name=op.f("uq_cycles_task_key")),
    )
    op.create_index(
        "uq_cycles_waiting", "cycles", ["task"], unique=True, postgresql_where=sa.text("phase = 'requested'")
    )
