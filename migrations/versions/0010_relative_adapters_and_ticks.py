"""Adapters lie where `model.runs` is, wherever that is; and which run of the schedule was looked after last.

An adapter's path was absolute: restored on another machine, or after the checkout moved, it led nowhere. What training
writes is RUN/adapter below the folder of runs, and the starter's own adapter comes with the program.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STARTER = r"^.*/inference/starter/seed/adapter$"
_RUN = r"^/.*/([^/]+/adapter)$"


def upgrade() -> None:
    op.execute(sa.text("UPDATE adapters SET path = 'starter:adapter' WHERE path ~ :of").bindparams(of=_STARTER))
    op.execute(
        sa.text("UPDATE adapters SET path = regexp_replace(path, :of, '\\1') WHERE path ~ :of").bindparams(of=_RUN)
    )
    op.create_table(
        "schedule_ticks",
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_schedule_ticks")),
    )


def downgrade() -> None:
    # The paths stay relative: where the folder of runs is, the database does not know
    op.drop_table("schedule_ticks")
