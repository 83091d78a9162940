"""Examples say which file they came from, and a digest is owed once.

Of the examples that are there already nobody knows where they are from.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("examples", sa.Column("origin", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "digests",
        sa.Column("task", sa.Text(), primary_key=True),
        sa.Column("tick", sa.Text(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("digests")
    op.drop_column("examples", "origin")
