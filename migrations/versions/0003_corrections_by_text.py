"""An index of the corrected texts alone: few among many examples, and looked through with every decision."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    corrected = sa.text("withdrawn_at IS NULL AND source IN ('correction', 'tap')")
    op.create_index("ix_examples_corrected", "examples", ["task", "text_key"], postgresql_where=corrected)


def downgrade() -> None:
    op.drop_index("ix_examples_corrected", "examples")
