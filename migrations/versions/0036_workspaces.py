"""A database says whose it is: what one workspace remembers is never opened as another's."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workspace",
        sa.Column("sole", sa.Boolean, sa.CheckConstraint("sole", name="one_workspace"), server_default=sa.true()),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sole", name="workspace_pkey"),
    )


def downgrade() -> None:
    op.drop_table("workspace")
