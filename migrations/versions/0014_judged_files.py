"""What an adapter's files were when it was judged, against whom, and decisions by adapter, for the automatic rollback.

Adapters from before have no digest, and are loaded as they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("adapters", sa.Column("digest", sa.Text(), nullable=True))
    op.add_column("cycles", sa.Column("champion", sa.Text(), nullable=True))
    op.create_index("ix_decisions_adapter_at", "decisions", ["adapter", "at"])


def downgrade() -> None:
    op.drop_index("ix_decisions_adapter_at", "decisions")
    op.drop_column("cycles", "champion")
    op.drop_column("adapters", "digest")
