"""Topics on a real database: answered with the team, corrected, and answered anew when another team gets it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.commands.examples import Ready
from bot.commands.topics import beside_teams, taught_by
from bot.domain.decisions import Author, Prediction
from bot.domain.learning import Example, Side, Source
from bot.domain.model_ports import Query
from bot.domain.tasks import Label, Task
from bot.flow.score import Scorer
from db.engine import Database
from tests.fakes import FakePredictor
from tests.integration.flow.oracle import MOOD, decided, on_card
from tests.samples import NOW, TASK
from tests.worlds.story import Story

TOPICS = Task(
    "topic",
    "Which topic?",
    (
        Label("refund", "money back", emoji={"web": "💸"}, title="Refund", team="billing"),
        Label("invoice", "a paper", emoji={"web": "🧾"}, title="Invoice", team="billing"),
        Label("late", "not there", emoji={"web": "⏳"}, title="Late", team="delivery"),
        Label("broken", "in pieces", title="Broken", team="delivery"),
    ),
    "broken",
)
SAID = {"refund": 0.06, "invoice": 0.02, "late": 0.23, "broken": 0.69}


class Fine(FakePredictor):
    """Gives a topic of delivery a higher probability than any of billing, whatever is written."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        if query.task.name == TASK.name:
            return await super().predict(query, texts)
        return [Prediction(SAID, None) for _ in texts]


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path, predictor=Fine(), questions=(TOPICS,))


async def test_a_card_names_a_topic_of_its_team_though_another_teams_is_likelier(
    story: Story, database: Database
) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    [answer] = story.reads().answers
    assert answer.title == "Refund" and answer.confidence == pytest.approx(0.75)
    assert await decided(database) == [("routing", "billing", "model"), ("topic", "refund", "model")]


async def test_a_team_without_topics_is_not_asked_for_one(story: Story, database: Database) -> None:
    await story.writes("my VPN is down, what is my password", "m1")
    await story.settles()
    assert story.reads().label == "it" and on_card(story) == []
    assert [row[0] for row in await decided(database)] == ["routing"]


async def test_a_lead_corrects_the_topic_and_teaches_it_alone(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("🧾")
    await story.settles()
    assert on_card(story) == [("invoice", Author.LEAD)] and len(story.cards()) == 1
    [taught] = await story.examples.examples("topic")
    assert (taught.label, taught.source) == ("invoice", Source.CORRECTION)
    assert await story.examples.examples("routing") == []
    await story.writes("I was charged twice", "m2")
    await story.settles()
    assert on_card(story) == [("invoice", Author.MEMORY)]


async def test_another_team_gets_it_with_a_topic_of_its_own_and_the_first_its_own_back(story: Story) -> None:
    await story.writes("I was charged twice", "m1")
    await story.settles()
    await story.reacts("🧾")
    await story.settles()
    await story.reacts("📦")
    await story.settles()
    assert story.reads().label == "delivery" and on_card(story) == [("broken", Author.MODEL)]
    assert await story.examples.examples("topic") == [], "a topic of a team that does not have it teaches nobody"
    await story.reacts("📦", added=False, card=0)
    await story.settles()
    assert story.reads().label == "billing" and on_card(story) == [("invoice", Author.LEAD)]


async def test_a_file_of_topics_teaches_the_teams_as_well_and_is_judged_both_ways(story: Story) -> None:
    rows = {"I was charged twice": "refund", "charged for my cable": "invoice", "my parcel came damaged": "broken"}
    given = [Example(text, topic, Source.IMPORT, Side.TRAIN, NOW) for text, topic in rows.items()]
    (fine, topics), (teams, folded) = taught_by(TASK, TOPICS, Ready(Path("topics.csv"), given, 3, 0))
    assert (fine, topics.examples, teams) == (TOPICS, given, TASK)
    assert [(one.text, one.label) for one in folded.examples] == [
        ("I was charged twice", "billing"),
        ("charged for my cable", "billing"),
        ("my parcel came damaged", "delivery"),
    ]
    figures = await beside_teams(Scorer(story.classifier, pauses=()), TASK, TOPICS, given)
    assert figures["team_accuracy"] == 1
    assert figures["folded_team_accuracy"] == pytest.approx(1 / 3), "the model finds a topic of delivery everywhere"
    assert figures["topic_accuracy_with_team"] == pytest.approx(2 / 3), "refund and broken"
    assert await beside_teams(Scorer(story.classifier, pauses=()), TASK, MOOD, given) == {}


async def test_whoever_chooses_the_team_themselves_has_its_topic_on_the_card(story: Story) -> None:
    await story.writes("hello, something is the matter", "m1")
    await story.settles()
    assert story.cards() == []
    await story.presses("0")
    await story.settles()
    assert [one.team for one in story.reads().answers] == [story.reads().label]
