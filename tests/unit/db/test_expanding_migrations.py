"""Every migration only adds, or says what older programs can no longer do, so that old and new may run together."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from alembic.script import Script, ScriptDirectory

from bot.domain.errors import UsageError
from db.schema_changes import contracts_of, must_fit
from tests.acceptance.processes import REPOSITORY
from tests.migration_operations import contractions

_FIRST = "0013"
"""Earlier migrations were made when a start stopped everything that ran."""
SCRIPTS = {
    script.revision: script
    for script in ScriptDirectory(str(REPOSITORY / "migrations")).walk_revisions()
    if script.revision >= _FIRST
}


@pytest.mark.parametrize("revision", sorted(SCRIPTS))
def test_a_migration_only_adds_or_says_why_not(revision: str) -> None:
    """When this fails: add without taking away (docs/upgrading.md), or write `contracts = "…"` beside its revision."""
    found = contractions(SCRIPTS[revision])
    assert not found or contracts_of(SCRIPTS[revision]), f"{revision}: {'; '.join(found)}"


@pytest.mark.parametrize(
    ("work", "found"),
    [
        ('op.drop_column("posts", "kind")', "column posts.kind goes"),
        ('op.drop_table("posts")', "table posts goes"),
        ('op.rename_table("posts", "sayings")', "table posts goes"),
        (
            'op.add_column("posts", sa.Column("tone", sa.Text, nullable=False))',
            "column posts.tone is wanted of whoever does not know it",
        ),
        ('op.alter_column("posts", "kind", nullable=False)', "column posts.kind may no longer be empty"),
        ('op.alter_column("posts", "kind", new_column_name="sort")', "column posts.kind has another type or name"),
        ('op.alter_column("posts", "kind", server_default=None)', "column posts.kind has no default any more"),
        (
            'op.create_index("uq_posts_ref", "posts", ["ref"], unique=True)',
            "index uq_posts_ref forbids what was allowed",
        ),
        ('op.create_check_constraint("short", "posts", "true")', "a constraint of posts is another"),
        ('op.execute("ALTER TABLE posts ALTER kind SET NOT NULL")', "SQL says SET NOT NULL"),
    ],
)
def test_what_takes_away_is_found_out(work: str, found: str) -> None:
    assert contractions(migration(work)) == [found]


@pytest.mark.parametrize(
    "work",
    [
        'op.add_column("posts", sa.Column("tone", sa.Text))',
        'op.add_column("posts", sa.Column("tone", sa.Text, nullable=False, server_default="calm"))',
        'op.alter_column("posts", "kind", nullable=True)',
        'op.create_index("ix_posts_tone", "posts", ["tone"])',
        'op.execute("UPDATE posts SET kind = kind")',
        'op.create_table("t", sa.Column("a", sa.Text)); op.create_index("uq_t_a", "t", ["a"], unique=True)',
    ],
)
def test_what_only_adds_is_let_through(work: str) -> None:
    assert contractions(migration(work)) == []


def test_what_only_added_fits_and_what_did_not_is_named() -> None:
    must_fit({"0035": "", "0036": ""})
    with pytest.raises(UsageError, match=r"0036: nobody writes kind any more"):
        must_fit({"0035": "", "0036": "nobody writes kind any more"})


def migration(work: str) -> Script:
    """A migration that does this."""
    module = ModuleType("tried")
    head = "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'x'\ndown_revision = None"
    code = f"{head}\ndef upgrade():\n    {work}\n"
    exec(compile(code, "tried.py", "exec"), module.__dict__)  # noqa: S102  as Alembic does with a file
    return Script(module, "x", str(Path(sys.prefix) / "tried.py"))
