"""The key of a text keeps what distinguishes messages in any script: keys are computed anew, sides stay as they are.

Besides, what waits for a vector is found without looking through all that have one.
"""

import hashlib
import re
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from bot.domain.learning import text_key

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BATCH = 2_000
_NEXT = sa.text("SELECT id, text, text_key FROM examples WHERE id > :after AND text <> '' ORDER BY id LIMIT :batch")
_WANTED = sa.text("INSERT INTO wanted_keys SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:keys AS text[]))")
_DOUBLES = sa.text(
    "SELECT array_agg(id ORDER BY changes, at DESC, id DESC), bool_or(stands) FROM ("
    "  SELECT e.id, e.task, e.label, e.source, e.at, e.withdrawn_at IS NULL AS stands, w.id IS NOT NULL AS changes,"
    "    coalesce(w.key, e.text_key) AS key"
    "  FROM examples AS e LEFT JOIN wanted_keys AS w ON w.id = e.id WHERE e.conversation_id IS NULL"
    ") AS keyed GROUP BY task, key, label, source HAVING count(*) > 1"
)
_STANDS = sa.text("UPDATE examples SET withdrawn_at = NULL WHERE id = :kept")
_WITHDRAWN = sa.text("UPDATE examples SET withdrawn_at = coalesce(withdrawn_at, now()) WHERE id = ANY(:others)")
_KEEPS_ITS_KEY = sa.text("DELETE FROM wanted_keys WHERE id = ANY(:others)")
_STEPS_ASIDE = sa.text(
    "UPDATE examples SET text_key = 'aside ' || examples.id FROM wanted_keys"
    " WHERE wanted_keys.id = examples.id AND examples.text_key IN (SELECT key FROM wanted_keys)"
)
_ADOPTED = sa.text("UPDATE examples SET text_key = key FROM wanted_keys WHERE wanted_keys.id = examples.id")


def upgrade() -> None:
    _rekey(text_key)
    waiting = sa.text("withdrawn_at IS NULL AND embedder IS NULL")
    op.create_index("ix_examples_without_vector", "examples", ["id"], postgresql_where=waiting)


def downgrade() -> None:
    op.drop_index("ix_examples_without_vector", "examples")
    _rekey(_plain_words)


def _plain_words(text: str) -> str:
    """The key as it was."""
    words = re.findall(r"\w+", text.lower()) or [text.strip()]
    return hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()


def _rekey(key: Callable[[str], str]) -> None:
    """Most keys stay: plain words have the same one before and after. So only those that change are written."""
    connection = op.get_bind()
    connection.execute(sa.text("CREATE TEMPORARY TABLE wanted_keys (id bigint PRIMARY KEY, key text) ON COMMIT DROP"))
    after = 0
    while rows := connection.execute(_NEXT, {"after": after, "batch": _BATCH}).all():
        changed = [(row.id, key(row.text)) for row in rows if key(row.text) != row.text_key]
        connection.execute(_WANTED, {"ids": [i for i, _ in changed], "keys": [k for _, k in changed]})
        after = rows[-1].id
    _one_a_key(connection)
    connection.execute(_STEPS_ASIDE)
    connection.execute(_ADOPTED)
    connection.execute(sa.text("DROP TABLE wanted_keys"))


def _one_a_key(connection: sa.Connection) -> None:
    """Of rows from files that become one text one stands; the others are withdrawn and keep the key that they had."""
    for ids, stands in connection.execute(_DOUBLES).all():
        kept, *others = ids
        if stands:
            connection.execute(_STANDS, {"kept": kept})
        connection.execute(_WITHDRAWN, {"others": others})
        connection.execute(_KEEPS_ITS_KEY, {"others": others})
