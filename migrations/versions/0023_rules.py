"""A decision knows the rule of the settings that it followed, and a conversation that somebody made a request of it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("decisions", sa.Column("rule", sa.Text()))
    op.create_index(
        "ix_decisions_rule", "decisions", ["rule", "conversation_id"], postgresql_where=sa.text("rule IS NOT NULL")
    )
    op.create_table(
        "rule_counts", sa.Column("rule", sa.Text, primary_key=True), sa.Column("count", sa.BigInteger, nullable=False)
    )
    op.add_column("conversations", sa.Column("wanted", sa.Boolean, nullable=False, server_default=sa.text("false")))


def downgrade() -> None:
    op.drop_column("conversations", "wanted")
    op.drop_table("rule_counts")
    op.drop_index("ix_decisions_rule", table_name="decisions")
    op.drop_column("decisions", "rule")
