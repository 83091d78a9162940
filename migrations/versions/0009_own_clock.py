"""Our own clock beside the platforms', notes that wait for a receipt, and what was learned about rooms."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_HEARD = ("conversations", "notes", "reactions", "presses")
_UNDECIDED = sa.text("state IN ('new', 'asked')")


def upgrade() -> None:
    for table in _HEARD:
        op.add_column(table, sa.Column("heard_at", _TIME))
    op.execute("UPDATE conversations SET heard_at = last_at")
    op.execute("UPDATE notes SET heard_at = at")
    op.execute("UPDATE reactions SET heard_at = at")
    op.execute("UPDATE presses SET heard_at = at")
    for table in _HEARD:
        op.alter_column(table, "heard_at", nullable=False)
    op.add_column("conversations", sa.Column("spoken_at", _TIME))
    op.drop_index("ix_conversations_undecided", "conversations")
    op.create_index("ix_conversations_undecided", "conversations", ["heard_at"], postgresql_where=_UNDECIDED)
    op.add_column("notes", sa.Column("not_before", _TIME))
    op.alter_column("notes", "conversation_id", existing_type=sa.BigInteger(), nullable=True)
    op.create_index("ix_notes_parked", "notes", ["heard_at"], postgresql_where=sa.text("conversation_id IS NULL"))
    op.add_column("reactions", sa.Column("counted", sa.Boolean()))
    op.add_column("reactions", sa.Column("not_before", _TIME))
    op.create_table(
        "message_parts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("platform", "chat", "message_id", "whole_id")),
        sa.PrimaryKeyConstraint("platform", "chat", "message_id", name="pk_message_parts"),
    )
    op.create_table(
        "learned_rooms",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("platform", "instead_of", "chat")),
        sa.PrimaryKeyConstraint("platform", "instead_of", name="pk_learned_rooms"),
    )


def downgrade() -> None:
    op.drop_table("learned_rooms")
    op.drop_table("message_parts")
    for column in ("not_before", "counted"):
        op.drop_column("reactions", column)
    op.drop_index("ix_notes_parked", "notes")
    op.execute("DELETE FROM notes WHERE conversation_id IS NULL")
    op.alter_column("notes", "conversation_id", existing_type=sa.BigInteger(), nullable=False)
    op.drop_column("notes", "not_before")
    op.drop_index("ix_conversations_undecided", "conversations")
    op.create_index("ix_conversations_undecided", "conversations", ["last_at"], postgresql_where=_UNDECIDED)
    op.drop_column("conversations", "spoken_at")
    for table in _HEARD:
        op.drop_column(table, "heard_at")
