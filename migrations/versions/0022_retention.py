"""What is kept no longer can be found by indexes, and so can all that is held about one person."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_CLOSED = "state = 'closed'"


def upgrade() -> None:
    op.create_index(
        "ix_examples_of_conversation",
        "examples",
        ["conversation_id"],
        postgresql_where=sa.text("conversation_id IS NOT NULL"),
    )
    op.add_column("conversations", sa.Column("emptied_at", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_conversations_with_vector",
        "conversations",
        ["closed_at"],
        postgresql_where=sa.text(f"{_CLOSED} AND vector IS NOT NULL"),
    )
    op.create_index(
        "ix_conversations_with_words",
        "conversations",
        ["closed_at"],
        postgresql_where=sa.text(f"{_CLOSED} AND emptied_at IS NULL"),
    )
    op.create_index(
        "ix_posts_rewordings",
        "posts",
        ["said_at"],
        postgresql_where=sa.text("edits IS NOT NULL AND said_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_posts_rewordings", "posts")
    op.drop_index("ix_conversations_with_words", "conversations")
    op.drop_index("ix_conversations_with_vector", "conversations")
    op.drop_column("conversations", "emptied_at")
    op.drop_index("ix_examples_of_conversation", "examples")
