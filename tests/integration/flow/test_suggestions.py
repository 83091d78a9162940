"""Suggestions for the person: shown on the card, never to them; corrected by leads; based on history."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.domain.decisions import Author, Prediction
from bot.domain.messages import Person
from bot.domain.model_ports import Query
from bot.domain.posts import Answer
from db.engine import Database
from db.solved_requests import PostgresSolvedRequests
from tests.fakes import FakePredictor
from tests.integration.flow.oracle import on_card
from tests.samples import AGENT, CUSTOMER, TASK
from tests.unit.domain.test_suggestions import PRODUCTS
from tests.worlds.story import Story

TORN = {"course": 0.48, "backup": 0.30, "nothing": 0.22}
LEARNS = {"course": 0.80, "backup": 0.10, "nothing": 0.10}
ORDINARY = {"course": 0.10, "backup": 0.10, "nothing": 0.80}


class Seller(FakePredictor):
    """Sure of a course where somebody wants to learn, and unsure where they may want to."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        if query.task.name == TASK.name:
            return await super().predict(query, texts)
        return [
            Prediction(TORN if "perhaps" in text else LEARNS if "learn" in text else ORDINARY, None) for text in texts
        ]


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path, predictor=Seller(), questions=(PRODUCTS,), grace=30.0)


async def solve(story: Story, text: str, number: int) -> None:
    """Another person writes, and the team says that it is done."""
    await story.writes(text, f"solved{number}", author=Person("web", f"before{number}", "B"))
    await story.settles()
    await story.reacts("✅", by=AGENT)
    await story.settles()


async def test_a_suggestion_stands_on_the_card_and_is_never_sent(story: Story) -> None:
    await story.writes("I was charged twice and want to learn how invoices work", "m1")
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.title, answer.absent, answer.means) == ("Course", False, "We show them how")
    assert story.heard() == [Answer("billing", "en")]
    sent = [item.post.content for item in story.said() if item.post.place.chat != "billing"]
    assert not any("Course" in repr(content) or "course" in repr(content) for content in sent)


async def test_a_lead_takes_it_off_names_another_and_takes_that_back(story: Story) -> None:
    await story.writes("I was charged twice and want to learn how invoices work", "m1")
    await story.settles()
    await story.reacts("🙈")
    await story.settles()
    assert on_card(story) == [("nothing", Author.LEAD)]
    assert not story.reads().answers[0].absent, "the team sees that a lead took it off"
    await story.reacts("🙈", added=False)
    await story.reacts("💾")
    await story.settles()
    assert on_card(story) == [("backup", Author.LEAD)]
    await story.reacts("💾", added=False)
    await story.settles()
    assert [label for label, _ in on_card(story)] == ["course"]
    assert story.heard() == [Answer("billing", "en")]


async def test_what_similar_requests_were_solved_with_has_a_say_and_is_named(story: Story) -> None:
    doubtful = "I was charged twice, perhaps somebody could show us how invoices work"
    await story.writes(doubtful, "m1")
    await story.settles()
    assert story.reads().answers[0].absent, "nobody is sure enough"
    for number in range(2):
        await solve(
            story, f"I was charged twice, could somebody show us how invoices work, we want to learn {number}", number
        )
    await story.writes(f"{doubtful}!!", "m2", author=Person("web", "next", "N"))
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.title, answer.absent, answer.solved) == ("Course", False, 1.0)
    assert answer.confidence > TORN["course"]


async def test_history_is_of_closed_requests_that_are_like_it_and_of_nobody_who_was_forgotten(
    story: Story, database: Database
) -> None:
    wanted = "I was charged twice and we want to learn how invoices work"
    history = PostgresSolvedRequests(database, story.embedder.name)
    [vector] = await story.embedder.embed([wanted])
    await story.writes(wanted, "open")
    await story.settles()
    assert await history.similar(PRODUCTS, [vector, None], 0.55) == [[], []], "it is not solved yet"
    await story.reacts("✅", by=AGENT)
    await solve(story, "the vpn is down", 1)
    [found, nothing] = await history.similar(PRODUCTS, [vector, None], 0.55)
    assert [(one.label, one.confirmed) for one in found] == [("course", False)] and nothing == []
    assert found[0].similarity == pytest.approx(1.0, abs=1e-4)
    assert await PostgresSolvedRequests(database, "another").similar(PRODUCTS, [vector], 0.55) == [[]]
    await story.erasure.erase(CUSTOMER, story.now())
    assert await history.similar(PRODUCTS, [vector], 0.55) == [[]]
