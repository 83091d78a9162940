"""Messages and notes say whom they cite or mention, so that forgetting reaches them.

What was stored before is read for it once: mentions have ids, older citations a name at most.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES = ("messages", "notes")
_KNOWN = r"""
    UPDATE {table} SET cites = found.keys FROM (
        SELECT said.id, jsonb_agg(DISTINCT CASE mark[1] WHEN 'mention' THEN mark[2] ELSE '~' || mark[2] END) AS keys
        FROM {table} said,
            regexp_matches(said.text, '\uFFFA(mention|cited) ([^\uFFF9-\uFFFB]+)\uFFFB', 'g') mark
        GROUP BY said.id
    ) found
    WHERE {table}.id = found.id
"""


def upgrade() -> None:
    for table in _TABLES:
        nobody = sa.text("'[]'::jsonb")
        op.add_column(table, sa.Column("cites", JSONB, nullable=False, server_default=nobody))
        op.execute(_KNOWN.format(table=table))
        op.create_index(
            f"ix_{table}_cites",
            table,
            ["cites"],
            postgresql_using="gin",
            postgresql_where=sa.text("cites <> '[]'::jsonb"),
        )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_index(f"ix_{table}_cites", table)
        op.drop_column(table, "cites")
