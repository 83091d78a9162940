"""Whoever rules on a message through the API is known by a name of the API, not of the message's platform."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reactions", sa.Column("actor_platform", sa.Text))


def downgrade() -> None:
    op.drop_column("reactions", "actor_platform")
