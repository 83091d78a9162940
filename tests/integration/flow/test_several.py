"""A question that several labels may answer at once, on a real database."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.domain.decisions import Author, Prediction
from bot.domain.model_ports import Query
from bot.domain.tasks import Label, Task
from bot.platforms.question_wording import answers, legends
from db.engine import Database
from tests.fakes import FakePredictor
from tests.integration.flow.oracle import decided
from tests.samples import TASK
from tests.worlds.story import Story


def part(name: str, emoji: str) -> Task:
    title = name.capitalize()
    labels = (Label("yes", name, emoji={"web": emoji}, title=title), Label("no", "else", title=f"✗ {title}"))
    return Task(f"subject.{name}", "What is it about?", labels, "no", part_of="subject")


SUBJECT = (part("legal", "🏛"), part("money", "🪙"), part("travel", "🧳"))


class Words(FakePredictor):
    """Finds each subject by its own name."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        if query.task.name == TASK.name:
            return await super().predict(query, texts)
        subject = query.task.name.partition(".")[2]
        sure = [0.9 if subject in text else 0.2 for text in texts]
        return [Prediction({"yes": p, "no": 1 - p}, None) for p in sure]


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path, predictor=Words(), questions=SUBJECT)


async def test_a_card_shows_every_label_that_holds_and_names_the_emoji_of_all(story: Story, database: Database) -> None:
    await story.writes("I was charged, a legal matter of money", "m1")
    await story.settles()
    assert answers(story.reads(), "en") == ["Legal · 90%", "Money · 90%"]
    assert legends(story.reads(), "web", "en") == ["Add or take off: 🏛 Legal  🪙 Money  🧳 Travel"]
    stored = {task: label for task, label, _ in await decided(database)}
    assert stored == {"routing": "billing", "subject.legal": "yes", "subject.money": "yes", "subject.travel": "no"}


async def test_a_lead_adds_one_and_takes_off_another_and_both_are_learned_and_undone(story: Story) -> None:
    await story.writes("I was charged, a legal matter of money", "m1")
    await story.settles()
    await story.reacts("🪙")
    await story.reacts("🧳")
    await story.settles()
    now = {one.task: (one.label, one.by) for one in story.reads().answers}
    assert now["subject.legal"] == ("yes", Author.MODEL)
    assert now["subject.money"] == ("no", Author.LEAD) and now["subject.travel"] == ("yes", Author.LEAD)
    assert [one.label for one in await story.examples.examples("subject.money")] == ["no"]
    assert [one.label for one in await story.examples.examples("subject.travel")] == ["yes"]
    assert await story.examples.examples("subject.legal") == []
    await story.reacts("🪙", added=False)
    await story.settles()
    assert answers(story.reads(), "en") == ["Legal · 90%", "Money · 90%", "Travel, a lead says"]
    assert await story.examples.examples("subject.money") == []


async def test_what_a_lead_alone_had_said_goes_with_their_emoji(
    story: Story, database: Database, tmp_path: Path
) -> None:
    """The question came after the request, so no voice answered it."""
    before = Story(database, tmp_path, predictor=Words())
    await before.writes("I was charged", "m1")
    await before.settles()
    story.time = before.time
    story.chats[0].said.extend(before.chats[0].said)
    await story.reacts("🧳")
    await story.settles()
    assert answers(story.reads(), "en") == ["Travel, a lead says"]
    await story.reacts("🧳", added=False)
    await story.settles()
    assert answers(story.reads(), "en") == []
    assert await story.examples.examples("subject.travel") == []
    await story.reacts("🧳")
    await story.settles()
    assert answers(story.reads(), "en") == ["Travel, a lead says"]
