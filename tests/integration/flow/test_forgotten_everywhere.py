"""A forgotten person is in no column of any table, whatever they did and whatever was done with it."""

import json
from collections.abc import Sequence

import psycopg
import pytest
from psycopg import sql

from bot.commands.audit import exported
from bot.domain.messages import Edit, Media, MediaKind, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.personal_records import Held
from bot.domain.posts import GONE
from bot.domain.webhooks import EventKind, Webhook
from db.personal_records import PostgresPersonalRecords
from db.webhooks import PostgresWebhookEvents
from tests.samples import AGENT, LEAD
from tests.worlds.story import Story

WORDS = ("xylophone", "Quirina", "passport")
QUIRINA = Person("web", "q1", "Quirina", "en")
BOB = Person("web", "bob", "Bob", "en")
PHOTO = Media("web", "file-1", MediaKind.PHOTO, "passport of Quirina.jpg")
DESK = Webhook("desk", "http://127.0.0.1:1/", frozenset(EventKind), "a-secret-of-more-than-20-characters", True)
REPLY = "reply: Dear Quirina, it is on its way"


def _where(database_url: str, words: Sequence[str]) -> dict[str, int]:
    """Table with one of the words in any column -> number of rows."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found: dict[str, int] = {}
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))).fetchall()
            found[table] = sum(any(word.lower() in str(row).lower() for word in words) for row in rows)
    return {table: count for table, count in found.items() if count}


async def _a_life(story: Story) -> None:
    """A request, an edit, a follow-up with a photo, a correction, a note and a reply about it, and another request."""
    ref = await story.writes("where is my xylophone", "1", QUIRINA, (PHOTO,))
    await story.settles()
    await story.edits(ref, "where is my new xylophone")
    await story.settles()
    await story.writes("and the bill of the xylophone", "2", QUIRINA, (PHOTO,), thread="1")
    await story.settles()
    await story.reacts("📦", by=LEAD)
    await story.settles()
    await story.notes("Quirina asks: where is my new xylophone", "n1", AGENT)
    await story.notes(REPLY, "n2", AGENT)
    await story.reacts("👀", by=AGENT)
    await story.settles()
    await story.writes("where is my new xylophone", "b1", BOB)  # indistinguishable: decided by what she taught
    await story.settles()


async def _aside(story: Story) -> None:
    """Facts of hers that could not be stored."""
    ref, place = MessageRef("web", "q1", "9"), Place("web", "help", "9")
    group = MessageRef("web", "help", "10")
    facts = (
        Message(ref, place, QUIRINA, "xylophone that broke the database", story.now()),
        Edit(MessageRef("web", "q1", "1"), "my edited xylophone", story.now()),
        Message(group, place, QUIRINA, "a xylophone in a group", story.now()),
        Edit(group, "another xylophone in a group", story.now()),
        Edit(MessageRef("web", "q1", "77"), "a xylophone that was never heard of", story.now()),
        Note(MessageRef("web", "billing", "n9"), ref, QUIRINA, "a noted xylophone", story.now()),
        Reaction(ref, QUIRINA, "💰", True, story.now()),
        Press(ref, QUIRINA, "billing", story.now()),
    )
    for fact in facts:
        await story.failures.park(fact, "Refused: DataError", story.now())


async def test_no_column_of_any_table_knows_them(story: Story, database_url: str) -> None:
    await PostgresWebhookEvents(story.database).declare([DESK])
    await _a_life(story)
    await _aside(story)
    held = await PostgresPersonalRecords(story.database).held_about(QUIRINA)
    given = json.dumps(exported(held, story.now()), ensure_ascii=False)
    for words in ("my edited xylophone", "a noted xylophone", "another xylophone in a group", "was never heard of"):
        assert words in given
    kinds = {record.kind for record in held.records}
    assert kinds >= {Held.CONVERSATION, Held.MESSAGE, Held.POST, Held.EXAMPLE, Held.FAILED}
    assert set(_where(database_url, WORDS)) >= {"conversations", "messages", "notes", "posts", "failed_items"}
    await story.erasure.erase(BOB, story.now())  # who happened to write the same
    await story.erasure.erase(QUIRINA, story.now())
    assert _where(database_url, WORDS) == {}
    await story.settles()
    assert _where(database_url, WORDS) == {}, "no step brings them back"
    left = await PostgresPersonalRecords(story.database).held_about(QUIRINA)
    assert (left.names, [one for one in left.records if one.text not in ("", GONE)]) == ((), [])


@pytest.mark.parametrize("whose", [BOB, LEAD], ids=["somebody else", "who reacted"])
async def test_an_edit_of_somebody_elses_stays(story: Story, database_url: str, whose: Person) -> None:
    await _aside(story)
    await story.erasure.erase(whose, story.now())
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM failed_items").fetchone() == (8,)
