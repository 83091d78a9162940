"""Webhooks that the settings lost before: their events are known again as somebody's, and so are taken away.

A webhook without events is one that the settings have no more; the next start of a bot takes away what waits for it.
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO webhooks (name, events) "
        "SELECT DISTINCT webhook, '{}'::text[] FROM webhook_events ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.execute("DELETE FROM webhooks WHERE events = '{}'")
