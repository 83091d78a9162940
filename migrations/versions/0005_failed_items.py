"""Items that fail for ever are set aside; the outbox finds the head of each line by an index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PENDING = sa.text("said_at IS NULL AND given_up_at IS NULL")
_SET_ASIDE = sa.text("set_aside_at IS NOT NULL")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "failed_items",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.BigInteger, sa.ForeignKey("conversations.id")),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("waits", sa.Integer, nullable=False),
        sa.Column("first_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("not_before", moment),
        sa.Column("set_aside_at", moment),
        sa.Column("dropped_at", moment),
        sa.Column("fact", JSONB),
        sa.UniqueConstraint("step", "item"),
    )
    op.create_index("ix_failed_items_set_aside", "failed_items", ["step"], postgresql_where=_SET_ASIDE)
    op.drop_index("ix_posts_pending", "posts")
    line: list[str | sa.TextClause] = [sa.text("coalesce(conversation_id, 0)"), "platform", "chat", "id"]
    op.create_index("ix_posts_line", "posts", line, postgresql_where=_PENDING)


def downgrade() -> None:
    op.drop_index("ix_posts_line", "posts")
    op.create_index(
        "ix_posts_pending", "posts", ["conversation_id", "platform", "chat", "id"], postgresql_where=_PENDING
    )
    op.drop_table("failed_items")
