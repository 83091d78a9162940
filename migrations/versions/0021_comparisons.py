"""Comparisons that are made by schedule, and their verdicts, are kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comparisons",
        sa.Column("task", sa.Text(), primary_key=True),
        sa.Column("tick", sa.Text(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("ruling", sa.Text(), nullable=False),
        sa.Column("gain", sa.Float()),
        sa.Column("margin", sa.Float()),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text()),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("arms", JSONB(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("comparisons")
