"""What language a decision was about, for figures by language; and how a mixture proved itself.

Besides, keys of texts tell more amounts apart from those below zero, so they are computed anew. Going back leaves them.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from bot.domain.learning import text_key

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = ("platform", "task", "label", "by")
_SUMMED = """
    CREATE TEMPORARY TABLE summed ON COMMIT DROP AS
    SELECT platform, task, label, by, sum(count)::bigint AS count
    FROM decision_counts GROUP BY platform, task, label, by
"""


def upgrade() -> None:
    """What was decided before is of no known language."""
    op.add_column("decisions", sa.Column("language", sa.Text(), nullable=True))
    op.add_column("adapters", sa.Column("proved", JSONB, nullable=True))
    op.add_column("adapters", sa.Column("scope", JSONB, nullable=True))
    unknown = sa.Column("language", sa.Text(), nullable=False, server_default=sa.text("'und'"))
    op.add_column("decision_counts", unknown)
    _counted_by(*_KEY, "language")
    import_module("migrations.versions.0004_telling_texts_apart")._rekey(text_key)


def downgrade() -> None:
    """The counts of a kind in all languages are one again."""
    op.execute(_SUMMED)
    op.execute("DELETE FROM decision_counts")
    _counted_by(*_KEY)
    op.drop_column("decision_counts", "language")
    op.execute("INSERT INTO decision_counts (platform, task, label, by, count) SELECT * FROM summed")
    op.drop_column("adapters", "scope")
    op.drop_column("adapters", "proved")
    op.drop_column("decisions", "language")


def _counted_by(*columns: str) -> None:
    name = op.f("pk_decision_counts")
    op.drop_constraint(name, "decision_counts")
    op.create_primary_key(name, "decision_counts", list(columns))
