"""Corrections and conversations know their task, the settings' examples their source, a learning cycle who holds it.

What was decided and corrected so far was all of the one task that routes. Examples of the settings were kept as seed
dated 2000-01-01, as those of the demo company are; only a demo's seed has a held-out side. Where there is none, all of
it came from the settings, and the next start withdraws what they no longer say.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STANDING = sa.text("withdrawn_at IS NULL")


def upgrade() -> None:
    op.add_column("cycles", sa.Column("claim", sa.Text(), nullable=True))
    op.add_column("conversations", sa.Column("task", sa.Text(), nullable=True))
    op.execute(
        "UPDATE conversations c SET task = d.task"
        " FROM (SELECT DISTINCT ON (conversation_id) conversation_id, task FROM decisions"
        " ORDER BY conversation_id, id) d WHERE d.conversation_id = c.id"
    )
    op.add_column("corrections", sa.Column("task", sa.Text(), nullable=True))
    op.execute("UPDATE corrections r SET task = c.task FROM conversations c WHERE c.id = r.conversation_id")
    op.alter_column("corrections", "task", nullable=False)
    op.drop_index("uq_corrections_standing", "corrections")
    op.create_index(
        "uq_corrections_standing", "corrections", ["conversation_id", "task"], unique=True, postgresql_where=_STANDING
    )
    op.execute(
        "UPDATE examples SET source = 'settings', at = now() WHERE source = 'seed' AND conversation_id IS NULL"
        " AND at = '2000-01-01T00:00:00Z' AND task NOT IN"
        " (SELECT task FROM examples WHERE source = 'seed' AND side = 'held-out')"
    )
    # The adapter that comes with the starter, made on that day
    op.execute("UPDATE adapters SET made_at = '2026-11-25T21:06:23Z' WHERE made_at = '2000-01-01T00:00:00Z'")


def downgrade() -> None:
    op.execute(
        "DELETE FROM examples e WHERE source = 'settings' AND EXISTS (SELECT FROM examples o WHERE o.source = 'seed'"
        " AND o.task = e.task AND o.text_key = e.text_key AND o.label = e.label AND o.conversation_id IS NULL)"
    )
    op.execute("UPDATE examples SET source = 'seed', at = '2000-01-01T00:00:00Z' WHERE source = 'settings'")
    # Of several tasks' corrections only those of the task that routes can stay: there is no place for a name
    op.execute("DELETE FROM corrections r USING conversations c WHERE c.id = r.conversation_id AND c.task <> r.task")
    op.drop_index("uq_corrections_standing", "corrections")
    op.drop_column("corrections", "task")
    op.create_index(
        "uq_corrections_standing", "corrections", ["conversation_id"], unique=True, postgresql_where=_STANDING
    )
    op.drop_column("conversations", "task")
    op.drop_column("cycles", "claim")
