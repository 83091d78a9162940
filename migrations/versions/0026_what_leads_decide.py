"""Leads decide on a candidate in the shadow, and see how far a training is: the posts, and what was pressed on them."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shadow_cards",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("post_id", sa.BigInteger(), sa.ForeignKey("posts.id"), nullable=False, unique=True),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.create_index(None, "shadow_cards", ["task", "adapter"])
    op.create_table(
        "shadow_rulings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index(None, "shadow_rulings", ["task", "adapter"])
    op.create_table(
        "cycle_posts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("cycle_id", sa.BigInteger(), sa.ForeignKey("cycles.id"), nullable=False),
        sa.Column("post_id", sa.BigInteger(), sa.ForeignKey("posts.id"), nullable=False, unique=True),
    )
    op.create_index(None, "cycle_posts", ["cycle_id"])
    op.create_table(
        "canaries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("champion", sa.Text(), nullable=False),
        sa.Column("promotion", sa.BigInteger(), sa.ForeignKey("promotions.id"), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("how", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
    )
    running = sa.text("ended_at IS NULL")
    op.create_index("uq_canaries_running", "canaries", ["task"], unique=True, postgresql_where=running)


def downgrade() -> None:
    op.drop_table("canaries")
    op.drop_table("cycle_posts")
    op.drop_table("shadow_rulings")
    op.drop_table("shadow_cards")
