"""Settings change questions and topics while requests are open: existing answers stay, new questions are asked."""

from dataclasses import replace
from pathlib import Path

from bot.domain.decisions import Author
from bot.domain.learning import Example, Side, Source
from bot.domain.tasks import Label, Task
from db.engine import Database
from tests.integration.flow.oracle import FRAUD, MOOD, decided, on_card, told
from tests.integration.flow.test_topics import TOPICS, Fine
from tests.samples import NOW
from tests.worlds.story import Story

CHARGEBACK = Label("chargeback", "the bank takes it back", emoji={"web": "🏦"}, title="Chargeback", team="billing")


def started(database: Database, folder: Path, topics: Task, before: Story | None = None) -> Story:
    """The bot with these topics; restarted, if it was running."""
    story = Story(database, folder, predictor=Fine(), questions=(topics,))
    if before is not None:
        story.time = before.time
        story.chats[0].said.extend(before.chats[0].said)
    return story


def without(topics: Task, *names: str) -> Task:
    return replace(topics, labels=tuple(one for one in topics.labels if one.name not in names))


def with_more(topics: Task, *labels: Label) -> Task:
    return replace(topics, labels=(*topics.labels, *labels))


async def test_a_topic_that_comes_later_is_learned_and_named_and_old_answers_stay(
    database: Database, tmp_path: Path
) -> None:
    first = started(database, tmp_path, TOPICS)
    await first.writes("I was charged twice", "m1")
    await first.settles()
    assert on_card(first) == [("refund", Author.MODEL)]

    story = started(database, tmp_path, with_more(TOPICS, CHARGEBACK), first)
    said = [Example("charged, so the bank takes it back", "chargeback", Source.SETTINGS, Side.TRAIN, NOW)]
    await story.examples.sync_settings("topic", said, story.now())
    await story.settles()
    assert on_card(story) == [("refund", Author.MODEL)], "what was answered stays"
    await story.reacts("🏦")
    await story.settles()
    assert on_card(story) == [("chargeback", Author.LEAD)], "an open card may be given the new one"
    await story.writes("I was charged twice", "m2")
    await story.settles()
    assert on_card(story) == [("chargeback", Author.MEMORY)] and story.reads().label == "billing"
    taught = {(one.label, one.source) for one in await story.examples.examples("topic")}
    assert taught == {("chargeback", Source.SETTINGS), ("chargeback", Source.CORRECTION)}


async def test_a_topic_that_is_gone_leaves_its_decision_and_its_card_can_still_be_corrected(
    database: Database, tmp_path: Path
) -> None:
    first = started(database, tmp_path, TOPICS)
    await first.writes("I was charged twice", "m1")
    await first.settles()
    story = started(database, tmp_path, without(TOPICS, "refund"), first)
    await story.settles()
    assert await decided(database) == [("routing", "billing", "model"), ("topic", "refund", "model")]
    await story.reacts("🧾")
    await story.settles()
    assert on_card(story) == [("invoice", Author.LEAD)]
    await story.writes("I was charged twice again", "m2")
    await story.settles()
    [answer] = story.reads().answers
    assert answer.label == "invoice", "billing has no other topic"


async def test_a_topic_that_moves_to_another_team_is_named_there(database: Database, tmp_path: Path) -> None:
    first = started(database, tmp_path, TOPICS)
    await first.writes("I was charged twice", "m1")
    await first.settles()
    moved = without(TOPICS, "refund")
    moved = with_more(moved, replace(TOPICS.label("refund"), team="delivery"))
    story = started(database, tmp_path, moved, first)
    await story.reacts("📦")
    await story.settles()
    assert story.reads().label == "delivery"
    assert on_card(story) == [("refund", Author.MODEL)], "it was answered before, and is delivery's by now"
    await story.reacts("💸")
    await story.settles()
    taught = [(one.label, one.source) for one in await story.examples.examples("topic")]
    assert taught == [("refund", Source.CONFIRMATION)]


async def test_a_question_that_comes_later_is_asked_of_what_is_written_from_then_on(
    database: Database, tmp_path: Path
) -> None:
    first = told(database, tmp_path)
    await first.writes("I was charged twice, outrageous", "m1")
    await first.settles()
    story = told(database, tmp_path, MOOD, FRAUD)
    story.time = first.time
    story.chats[0].said.extend(first.chats[0].said)
    await story.settles()
    assert await decided(database) == [("routing", "billing", "model")], "no request of before is disturbed"
    await story.writes("outrageous, I was charged again", "m2")
    await story.settles()
    assert [label for label, _ in on_card(story)] == ["upset", "ordinary"]


async def test_a_label_that_is_called_otherwise_leaves_the_old_answer_and_takes_corrections(
    database: Database, tmp_path: Path
) -> None:
    first = told(database, tmp_path, MOOD)
    await first.writes("I was charged twice, outrageous", "m1")
    await first.settles()
    angry = replace(MOOD.label("calm"), name="quiet", title="Quiet")
    renamed = replace(MOOD, labels=(MOOD.label("upset"), angry, MOOD.label("glad")), fallback="quiet")
    story = told(database, tmp_path, renamed)
    story.time = first.time
    story.chats[0].said.extend(first.chats[0].said)
    await story.reacts("🙂")
    await story.settles()
    assert on_card(story) == [("quiet", Author.LEAD)]
    assert [one.label for one in await story.examples.examples("sentiment")] == ["quiet"]
