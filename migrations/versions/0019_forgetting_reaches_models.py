"""Adapters know until when they may serve, since somebody whose texts they learned from was forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("adapters", sa.Column("retires_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("adapters", "retires_at")
