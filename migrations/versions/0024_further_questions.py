"""Conversations know what follows from the answers to further questions, and whether one is still to be answered."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("lacks_answers", "on_hold", "comes_first"):
        op.add_column("conversations", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("conversations", sa.Column("take_seconds", sa.Float))
    op.create_index(
        "ix_conversations_lacks_answers", "conversations", ["id"], postgresql_where=sa.text("lacks_answers")
    )
    op.create_index("ix_conversations_on_hold", "conversations", ["id"], postgresql_where=sa.text("on_hold"))


def downgrade() -> None:
    op.drop_index("ix_conversations_on_hold", "conversations")
    op.drop_index("ix_conversations_lacks_answers", "conversations")
    for name in ("take_seconds", "comes_first", "on_hold", "lacks_answers"):
        op.drop_column("conversations", name)
