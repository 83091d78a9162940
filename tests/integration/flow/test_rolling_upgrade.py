"""Old and new processes at the same time: this version on a database that a newer version has already migrated."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from bot.domain.errors import UsageError
from bot.domain.posts import Answer, Moved
from db.connection_url import parsed
from db.engine import open_database
from db.migrate import blocking_engine, configuration, upgrade
from tests.worlds.story import Story

NEXT = '''"""What the next version brings."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
{marker}

def upgrade() -> None:
    {work}


def downgrade() -> None:
    pass
'''
ADDS = """op.create_table("moods", sa.Column("id", sa.BigInteger, primary_key=True))
    op.add_column("conversations", sa.Column("mood", sa.Text))
    op.add_column("messages", sa.Column("weight", sa.Integer, nullable=False, server_default="1"))
    op.add_column("posts", sa.Column("tone", sa.Text, nullable=False, server_default="calm"))
    op.create_index("ix_conversations_mood", "conversations", ["mood"])"""
TAKES = 'op.drop_column("conversations", "language")'
Newer = Callable[[str, str, str], None]
"""(url, SQL, what it says that it contracts): migrate the database as a version after this one would."""


@pytest.fixture
def newer(tmp_path: Path) -> Newer:
    def bring(url: str, work: str, contracts: str = "") -> None:
        marker = f"contracts = {contracts!r}\n" if contracts else ""
        with blocking_engine(parsed(url)).begin() as connection:
            config = configuration(connection)
            folder = Path(str(config.get_main_option("script_location"))) / "versions"
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
            revision = f"{9000 + len(list(tmp_path.glob('9*.py')))}"
            (tmp_path / f"{revision}.py").write_text(
                NEXT.format(revision=revision, before=found, marker=marker, work=work), "utf-8"
            )
            config.set_main_option("path_separator", "os")
            config.set_main_option("version_locations", f"{folder}:{tmp_path}")
            command.upgrade(config, "head")

    return bring


async def test_this_version_goes_on_where_the_next_one_has_only_added(
    empty_url: str, newer: Newer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert upgrade(empty_url)
    async with open_database(empty_url) as database:
        story = Story(database, tmp_path)
        await story.writes("I was charged twice", "1")
        newer(empty_url, ADDS, "")
        story.later(5)
        await story.sorter.step()
        async with database.transaction() as session:  # as a newer process would say it
            await session.execute(text("UPDATE posts SET kind = 'Hologram' WHERE kind = 'Answer'"))
        await story.settles()
        assert (story.reads().label, story.heard()) == ("billing", [])
        await story.reacts("💻")
        await story.settles()
        assert story.reads().label == "it", "what leads say counts"
        aside = await story.failures.set_aside()
        assert [item.reason for item in aside] == ["this version cannot read it (UnknownKind)"], "kept for the newer"
        caplog.set_level(logging.WARNING)
        assert not upgrade(empty_url), "an old process that starts again meanwhile changes nothing"
        assert "database is newer than this version, and fits" in caplog.text
        await story.writes("it broke again", "2")
        await story.settles()
        told = [type(one) for one in story.heard()]
        assert told == [Moved, Answer], "the move and the second message are told, the first answer waits"


def test_a_version_from_under_which_something_was_taken_says_what(empty_url: str, newer: Newer) -> None:
    upgrade(empty_url)
    newer(empty_url, ADDS, "")
    newer(empty_url, TAKES, "the language of a conversation is that of its person")
    with pytest.raises(UsageError, match=r"newer than this Switchboard.*9001: the language of a conversation is that"):
        upgrade(empty_url)
    with blocking_engine(parsed(empty_url)).connect() as connection:
        found = connection.execute(text("SELECT revision, contracts <> '' FROM schema_changes ORDER BY revision"))
        assert json.dumps([list(row) for row in found][-2:]) == '[["9000", false], ["9001", true]]'
