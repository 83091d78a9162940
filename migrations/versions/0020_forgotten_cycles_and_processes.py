"""A cycle knows that somebody was forgotten whose words it learned from; a claim, which process made it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cycles", sa.Column("forgotten_at", sa.DateTime(timezone=True)))
    op.create_table(
        "processes",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_processes"),
    )
    for table in ("conversations", "posts"):
        op.add_column(table, sa.Column("claimed_by", sa.BigInteger()))


def downgrade() -> None:
    for table in ("conversations", "posts"):
        op.drop_column(table, "claimed_by")
    op.drop_table("processes")
    op.drop_column("cycles", "forgotten_at")
