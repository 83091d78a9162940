"""Two processes on one database: everything happens once, and in order."""

import asyncio
from collections import Counter
from pathlib import Path

from bot.domain.messages import Person
from bot.domain.posts import Answer, Card, FollowUp, Reply, Solved, WrongTeam
from db.engine import Database
from tests.fakes import FakePlatform
from tests.samples import AGENT, LEAD, TASK
from tests.worlds.story import Story

PEOPLE = [Person("web", f"person {n}", f"P{n}", "en") for n in range(12)]


def replicas(database: Database, folder: Path) -> tuple[Story, Story]:
    """Two processes that share a chat service and a database."""
    chat = FakePlatform()
    return Story(database, folder, TASK, [chat]), Story(database, folder, TASK, [chat])


async def both_settle(one: Story, other: Story) -> None:
    other.time = one.time
    await asyncio.gather(one.settles(), other.settles())
    other.later(61)  # what one of them claimed and did not finish is free again
    await other.settles()
    one.time = other.time


async def test_everybody_is_answered_once_and_in_order(database: Database, tmp_path: Path) -> None:
    one, other = replicas(database, tmp_path)
    for person in PEOPLE:
        for replica in (one, other):
            await replica.writes("I was charged twice", "m1", person)
    await both_settle(one, other)
    for number in range(3):
        for person in PEOPLE:
            await one.writes(f"and number {number}", f"f{number}", person, thread="m1")
    await both_settle(one, other)
    said = Counter(type(item.post.content) for item in one.said())
    assert (said[Answer], said[Card], said[FollowUp]) == (len(PEOPLE), len(PEOPLE), 3 * len(PEOPLE))
    for position in range(len(PEOPLE)):
        under = [content.text for content in one.thread(position) if isinstance(content, FollowUp)]
        assert under == ["and number 0", "and number 1", "and number 2"]


async def test_emoji_buttons_and_notes_count_once(database: Database, tmp_path: Path) -> None:
    one, other = replicas(database, tmp_path)
    await one.writes("I was charged twice", "m1")
    await both_settle(one, other)
    await one.notes("reply: we are looking", "n1", AGENT)
    await one.reacts("👎")
    await both_settle(one, other)
    for replica in (one, other):
        await replica.presses("0", by=LEAD, on=WrongTeam)
    await both_settle(one, other)
    await one.reacts("✅", by=AGENT)
    await both_settle(one, other)
    said = Counter(type(item.post.content) for item in one.said() if item.post.edits is None)
    assert (said[Card], said[Reply], said[WrongTeam], said[Solved]) == (2, 1, 1, 1)
    assert one.reads().done
