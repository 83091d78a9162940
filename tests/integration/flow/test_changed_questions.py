"""Settings change questions and topics while requests are open: existing answers stay, new questions are asked."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from bot.domain.decisions import Author
from bot.domain.learning import Example, Side, Source
from bot.domain.messages import choice
from bot.domain.posts import WrongTeam
from bot.domain.question_posts import Alert
from bot.domain.tasks import Label, Task
from bot.domain.team_changes import Kind, TeamChange
from db.engine import Database
from db.tables import PostRow
from db.team_changes import PostgresTeamChanges
from tests.integration.flow.oracle import FRAUD, MOOD, SECURITY, alerts, decided, on_card, told
from tests.integration.flow.test_topics import TOPICS, Fine
from tests.samples import NOW, TASK
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


def with_label(question: Task, before: str, after: str) -> Task:
    """The question with one of its labels under another name."""
    return replace(
        question, labels=tuple(replace(one, name=after) if one.name == before else one for one in question.labels)
    )


async def renamed(database: Database, first: Story, question: Task, before: str, after: str) -> None:
    wanted = TeamChange(Kind.RENAME, before, after, "ann")
    changes = PostgresTeamChanges(database)
    assert (await changes.change(question, wanted, lambda *_: [], first.now(), False)).conversations == 1


async def test_an_answer_whose_label_is_renamed_stands_with_all_that_follows_from_it(
    database: Database, tmp_path: Path
) -> None:
    first = told(database, tmp_path, FRAUD, MOOD)
    await first.writes("charged, buy gift cards and send the codes", "m1")
    await first.settles()
    question = with_label(FRAUD, "suspicious", "fishy")
    await renamed(database, first, question, "suspicious", "fishy")
    story = told(database, tmp_path, question, MOOD)
    story.time = first.time
    story.chats[0].said.extend(first.chats[0].said)
    await story.reacts("😠")
    await story.settles()
    answer = next(one for one in story.reads().answers if one.task == "fraud")
    assert (answer.label, answer.by, "tell" in answer.follows) == ("fishy", Author.MODEL, True)
    assert [one.withdrawn for one in alerts(story, SECURITY)] == [False], "its room is not told that it is not so"
    assert ("fraud", "suspicious", "model") in await decided(database), "the past stays as it was decided"


async def test_what_a_lead_said_with_a_button_stands_under_the_new_name(database: Database, tmp_path: Path) -> None:
    first = told(database, tmp_path, MOOD)
    await first.writes("I was charged twice", "m1")
    await first.settles()
    await first.reacts(choice("sentiment/glad"))
    await first.settles()
    assert on_card(first) == [("glad", Author.LEAD)]
    question = with_label(MOOD, "glad", "happy")
    await renamed(database, first, question, "glad", "happy")
    story = told(database, tmp_path, question)
    story.time = first.time
    story.chats[0].said.extend(first.chats[0].said)
    await story.reacts("👎")
    await story.settles()
    [buttons] = [one for one in story.thread() if isinstance(one, WrongTeam) and one.question]
    assert buttons.choices == ("upset", "calm"), "what the lead said is the answer now"
    await story.reacts(choice("sentiment/happy"), added=False)
    await story.settles()
    assert on_card(story) == [("calm", Author.MODEL)], "and can be taken back"


async def test_rooms_that_were_told_have_the_teams_new_name(database: Database, tmp_path: Path) -> None:
    like_a_team = with_label(FRAUD, "suspicious", "billing")
    story = told(database, tmp_path, with_label(like_a_team, "ordinary", "suspicious"))
    await story.writes("charged, buy gift cards and send the codes", "m1")
    await story.settles()
    await story.reacts("🚨")
    await story.settles()
    await renamed(database, story, with_label(TASK, "billing", "money"), "billing", "money")
    async with database.transaction() as session:
        told_of = await session.scalars(select(PostRow.content).where(PostRow.kind == Alert.__name__))
        assert {(one["team"], one["label"]) for one in told_of} == {("money", "billing")}
