"""What each voice said of a decision, and how loud the voices beside an adapter are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    nobody, usual = sa.text("'[]'"), sa.text("'{}'")
    op.add_column("decisions", sa.Column("voices", JSONB, nullable=False, server_default=nobody))
    op.add_column("adapters", sa.Column("mixture", JSONB, nullable=False, server_default=usual))


def downgrade() -> None:
    op.drop_column("adapters", "mixture")
    op.drop_column("decisions", "voices")
