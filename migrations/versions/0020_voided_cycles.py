"""A learning cycle knows that somebody was forgotten whose words its training set held."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cycles", sa.Column("forgotten_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("cycles", "forgotten_at")
