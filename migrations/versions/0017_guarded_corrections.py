"""Corrections say whose they are, why they are held back, how much they count, and which adapter made them needless."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_LED = sa.text("lead IS NOT NULL")
_WHOSE = """
    UPDATE examples SET lead = ruled.lead FROM corrections ruled
    WHERE examples.conversation_id = ruled.conversation_id AND examples.task = ruled.task
        AND ruled.withdrawn_at IS NULL AND examples.withdrawn_at IS NULL
        AND examples.source IN ('correction', 'confirmation')
"""


def upgrade() -> None:
    op.add_column("examples", sa.Column("lead", sa.Text))
    op.add_column("examples", sa.Column("held", sa.Text))
    op.add_column("examples", sa.Column("weight", sa.Float, nullable=False, server_default="1"))
    op.add_column("examples", sa.Column("retired_by", sa.Text))
    op.add_column("examples", sa.Column("accepted_by", sa.Text))
    op.add_column("corrections", sa.Column("agreeing", sa.Integer, nullable=False, server_default="1"))
    op.execute(_WHOSE)
    op.execute("UPDATE examples SET held = 'disputed' WHERE quarantined")
    op.create_index("ix_examples_lead_recorded_at", "examples", ["lead", "recorded_at"], postgresql_where=_LED)
    op.create_index("ix_examples_lives", "examples", ["task", "id"], postgresql_where=sa.text("source = 'correction'"))
    held = sa.text("held IS NOT NULL AND withdrawn_at IS NULL")
    op.create_index("ix_examples_held", "examples", ["conversation_id"], postgresql_where=held)
    op.create_index("ix_corrections_lead", "corrections", ["lead"])


def downgrade() -> None:
    op.drop_index("ix_corrections_lead", "corrections")
    op.drop_index("ix_examples_held", "examples")
    op.drop_index("ix_examples_lives", "examples")
    op.drop_index("ix_examples_lead_recorded_at", "examples")
    op.drop_column("corrections", "agreeing")
    for column in ("accepted_by", "retired_by", "weight", "held", "lead"):
        op.drop_column("examples", column)
