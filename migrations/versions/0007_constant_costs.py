"""What is looked for has an index, decisions are counted as they grow, and examples say when they changed.

The indexes are built in the migration's one transaction, since all of it or nothing happens: while it runs, nothing is
written, and platforms deliver later; see docs/running.md.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_CHANGED = """
    CREATE OR REPLACE FUNCTION examples_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.changed := pg_current_xact_id()::text::bigint;
        RETURN NEW;
    END $$
"""
_TRIGGER = """
    CREATE TRIGGER examples_changed BEFORE INSERT OR UPDATE ON examples
    FOR EACH ROW EXECUTE FUNCTION examples_changed()
"""
_COUNTED = """
    INSERT INTO decision_counts (platform, task, label, by, count)
    SELECT c.platform, d.task, d.label, d.by, count(*)
    FROM decisions d JOIN conversations c ON c.id = d.conversation_id
    GROUP BY c.platform, d.task, d.label, d.by
"""
_UP_TO = "INSERT INTO rollups (name, up_to) SELECT 'decisions', coalesce(max(id), 0) FROM decisions"
_INDEXES: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("ix_messages_carried_by", "messages", ["carried_by"], "carried_by IS NOT NULL"),
    ("ix_messages_platform_chat_at_id", "messages", ["platform", "chat", "at", "id"], None),
    ("ix_notes_carried_by", "notes", ["carried_by"], "carried_by IS NOT NULL"),
    ("ix_notes_platform_chat_at_id", "notes", ["platform", "chat", "at", "id"], None),
    ("ix_notes_platform_under_chat", "notes", ["platform", "under_chat"], None),
    ("ix_posts_shown_alone", "posts", ["platform"], "only_for IS NOT NULL"),
    ("ix_posts_answers_chat", "posts", ["platform", "answers_chat"], "answers_chat IS NOT NULL"),
    ("ix_posts_given_up", "posts", ["problem"], "given_up_at IS NOT NULL"),
    ("ix_reactions_platform_actor_id", "reactions", ["platform", "actor_id"], None),
    ("ix_presses_platform_actor_id", "presses", ["platform", "actor_id"], None),
    ("ix_conversations_taken_by", "conversations", ["taken_by"], "taken_by IS NOT NULL"),
    ("ix_conversations_open", "conversations", ["started_at", "id"], "state IN ('asked', 'routed')"),
    ("ix_decisions_at", "decisions", ["at"], None),
    ("ix_corrections_disputed", "corrections", ["conversation_id"], "disputed AND withdrawn_at IS NULL"),
    (
        "ix_examples_recorded",
        "examples",
        ["task", "recorded_at"],
        "withdrawn_at IS NULL AND source = 'correction'",
    ),
    ("ix_examples_changed", "examples", ["changed"], None),
)


def upgrade() -> None:
    op.add_column("examples", sa.Column("changed", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(_CHANGED)
    op.execute(_TRIGGER)
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, postgresql_where=None if where is None else sa.text(where))
    op.create_index("ix_decisions_evidence", "decisions", ["evidence"], postgresql_using="gin")
    _counters()


def _counters() -> None:
    op.create_table(
        "decision_counts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("platform", "task", "label", "by")),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "task", "label", "by", name=op.f("pk_decision_counts")),
    )
    op.create_table(
        "rollups",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rollups")),
    )
    op.execute(_COUNTED)
    op.execute(_UP_TO)


def downgrade() -> None:
    op.drop_table("rollups")
    op.drop_table("decision_counts")
    op.drop_index("ix_decisions_evidence", "decisions")
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table)
    op.execute("DROP TRIGGER examples_changed ON examples")
    op.execute("DROP FUNCTION examples_changed()")
    op.drop_column("examples", "changed")
