"""Which changes the schema has been through from here on, so that an older program can tell whether it still fits."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schema_changes",
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("contracts", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_schema_changes")),
    )


def downgrade() -> None:
    op.drop_table("schema_changes")
