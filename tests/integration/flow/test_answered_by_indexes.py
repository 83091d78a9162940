"""Nothing that anybody can do by writing, tapping or asking to be forgotten makes the database read a large table."""

from pathlib import Path

from sqlalchemy import insert

from db.engine import Database
from db.queries import PostgresQueries
from db.tables import LabelChangeRow
from tests.integration.db.asked import asked
from tests.samples import AGENT, CUSTOMER
from tests.worlds.many import everything_of_many
from tests.worlds.story import Story


async def test_whatever_people_do_is_answered_by_indexes(database: Database, tmp_path: Path) -> None:
    await everything_of_many(database)
    story = Story(database, tmp_path)
    async with asked(database) as heard:
        await _talk(story)
        await PostgresQueries(database).requests_of(CUSTOMER, 10)
        for person in (CUSTOMER, AGENT):
            assert (await story.erasure.erase(person, story.now())).conversations == (2 if person is CUSTOMER else 0)
        await story.settles()
    assert len(heard.statements) > 100
    assert await heard.scans(database) == []


async def test_requests_of_an_ended_team_are_found_by_indexes(database: Database, tmp_path: Path) -> None:
    await everything_of_many(database)
    story = Story(database, tmp_path)
    await story.writes("I was charged twice", "1")
    await story.settles()
    await story.reacts("✅", by=AGENT)
    await story.settles()
    story.later(minutes=1)
    change = insert(LabelChangeRow).values(task="routing", kind="merge", before="billing", after="it", by="ann")
    async with database.transaction() as session:
        await session.execute(change.values(at=story.now(), touched={}))
    async with asked(database) as heard:
        await story.writes("it came back", "2", thread="1")
        await story.settles()
    assert story.reads().label == "it"
    assert await heard.scans(database) == []


async def _talk(story: Story) -> None:
    """A question is asked and answered; another request is written, edited, corrected, taken, noted, sent, deleted."""
    sure, story.predictor.rules = story.predictor.rules, {None: _unsure}
    await story.writes("where is it", "5")
    await story.settles()
    await story.presses("0")
    await story.settles()
    story.predictor.rules = sure
    ref = await story.writes("I was charged twice", "1")
    await story.settles()
    await story.writes("since Monday", "2", thread="1")
    await story.edits(ref, "I was charged thrice")
    await story.settles()
    await story.reacts("💻")
    await story.settles()
    await story.reacts("👀", by=AGENT)
    await story.notes("a bug", "n1", AGENT)
    await story.notes("reply: it is on its way", "n2", AGENT)
    await story.settles()
    await story.deletes(ref)
    await story.reacts("✅", by=AGENT)
    story.later(minutes=31)
    await story.settles()


def _unsure(_text: str) -> None:
    """The model gives all labels the same probability."""
