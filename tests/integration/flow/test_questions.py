"""Further questions on a real database: asked, shown, corrected, taken back, and their consequences."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.consequences import Consequences
from bot.domain.decisions import Author, Prediction
from bot.domain.errors import NotTrained, Unreachable
from bot.domain.learning import Example, Side, Source
from bot.domain.messages import Person, Place
from bot.domain.model_ports import Query
from bot.domain.posts import Answer, Moved, Notice, What, WrongTeam
from bot.domain.report_posts import LearningReport
from bot.init import of_names, settings_text
from bot.platforms import platform_modules
from bot.settings import load
from db.engine import Database
from db.examples import PostgresExamples
from db.queries import PostgresQueries
from db.tables import DecisionRow
from tests.integration.flow.oracle import FRAUD, MOOD, Oracle, decided, on_card, told
from tests.samples import AGENT, LEAD, TASK
from tests.worlds.story import Story

OTHER_LEAD = Person("web", "lead2", "Lou")


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    return told(database, tmp_path, MOOD)


# --- asked ---


async def test_every_conversation_is_asked_and_its_card_says_so(story: Story, database: Database) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.title, answer.by) == ("Upset", Author.MODEL)
    assert answer.confidence == pytest.approx(0.91)
    assert await decided(database) == [("routing", "billing", "model"), ("sentiment", "upset", "model")]
    assert len(story.said()) == 2, "the person's answer and the card: nothing is rewritten for it"
    counts = await PostgresQueries(database).decisions()
    assert {key[1:4] for key in counts} == {("routing", "billing", "model"), ("sentiment", "upset", "model")}


@pytest.mark.parametrize("trouble", [Unreachable("down"), RuntimeError("a bug"), NotTrained("not yet")])
async def test_a_question_that_fails_harms_no_routing_and_is_answered_later(
    story: Story, database: Database, trouble: Exception
) -> None:
    oracle, embedder = story.predictor, story.embedder
    assert isinstance(oracle, Oracle)
    oracle.trouble["sentiment"] = trouble
    embedder.failure = Unreachable("no vectors")
    await story.writes("I was charged twice, outrageous", "m1")
    story.later(5)
    await story.sorter.step()
    await story.courier.step()
    assert (await decided(database))[0] == ("routing", "billing", "model")
    assert story.heard() == [Answer("billing", "en")]
    oracle.trouble, embedder.failure = {}, None
    await story.settles()
    known = [row for row in await decided(database) if row[0] == "sentiment"]
    assert known[-1][1] == "upset" and on_card(story) == [("upset", Author.MODEL)]
    assert len(story.cards()) == 1, "the card was rewritten"


async def test_what_is_slow_is_not_waited_for(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path, MOOD, grace=0.01)
    oracle = story.predictor
    assert isinstance(oracle, Oracle)
    usual = oracle.predict

    async def never(query: Query, texts: Sequence[str]) -> list[Prediction]:
        if query.task.name == "sentiment":
            await asyncio.Event().wait()
        return await usual(query, texts)

    oracle.predict = never  # type: ignore[method-assign]
    await story.writes("I was charged twice", "m1")
    story.later(5)
    await story.sorter.step()
    assert await decided(database) == [("routing", "billing", "model")]
    oracle.predict = usual  # type: ignore[method-assign]
    await story.settles()
    assert on_card(story) == [("calm", Author.MODEL)]


async def test_whoever_chose_the_team_themselves_has_the_answers_on_the_card(story: Story) -> None:
    await story.writes("this is outrageous", "m1")
    await story.settles()
    assert story.cards() == []
    await story.presses("0")
    await story.settles()
    assert on_card(story) == [("upset", Author.MODEL)]


async def test_a_workspace_without_further_questions_is_as_it_was(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path)
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    assert await decided(database) == [("routing", "billing", "model")]
    assert story.reads().answers == ()


# --- corrected ---


async def test_an_emoji_corrects_the_answer_alone_and_is_remembered_at_once(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("🙂")
    await story.settles()
    assert on_card(story) == [("calm", Author.LEAD)]
    assert len(story.cards()) == 1 and not any(isinstance(said, Moved) for said in story.heard())
    [taught] = await story.examples.examples("sentiment")
    assert (taught.label, taught.source) == ("calm", Source.CORRECTION)
    assert await story.examples.examples("routing") == [], "a correction of one question is no example of another"
    await story.writes("I was charged twice, outrageous", "m2")
    await story.settles()
    assert on_card(story) == [("calm", Author.MEMORY)]
    assert story.reads().label == "billing"


async def test_taking_the_emoji_away_takes_it_back(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("🙂")
    await story.settles()
    await story.reacts("🙂", added=False)
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.by) == ("upset", Author.MODEL)
    assert answer.confidence == pytest.approx(0.91)
    assert await story.examples.examples("sentiment") == []


async def test_an_agent_and_a_stranger_correct_nothing(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("🙂", by=AGENT)
    await story.settles()
    assert on_card(story) == [("upset", Author.MODEL)]
    [notice] = [said for said in story.heard(Person("web", "billing")) if isinstance(said, Notice)]
    assert notice.what is What.NO_LEAD


async def test_leads_who_disagree_teach_nothing_until_they_agree(story: Story) -> None:
    story.platform.leads = frozenset({LEAD.id, OTHER_LEAD.id})
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("🙂")
    await story.reacts("😠", by=OTHER_LEAD)
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.disputed) == ("upset", True)
    assert await story.examples.examples("sentiment") == []
    await story.reacts("🙂", added=False)
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.disputed) == ("upset", False)
    assert [one.label for one in await story.examples.examples("sentiment")] == ["upset"]


async def test_a_label_without_an_emoji_is_chosen_from_buttons(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("👎")
    await story.settles()
    offered = [said for said in story.thread() if isinstance(said, WrongTeam)]
    assert [(one.question, one.titles) for one in offered] == [("", ()), ("sentiment", ("Calm", "Glad"))]
    await story.presses("1", by=LEAD, on=WrongTeam)
    await story.settles()
    assert on_card(story) == [("glad", Author.LEAD)]
    assert story.reads().label == "billing"
    await story.reacts("👎", added=False)
    await story.settles()
    assert on_card(story) == [("upset", Author.MODEL)]


async def test_the_answers_go_along_when_the_team_is_corrected(story: Story) -> None:
    await story.writes("I was charged twice, outrageous", "m1")
    await story.settles()
    await story.reacts("💻")
    await story.reacts("🙂", card=0)
    await story.settles()
    assert (story.reads().label, on_card(story)) == ("it", [("calm", Author.LEAD)])
    assert [one.label for one in await story.examples.examples("routing")] == ["it"]
    assert [one.label for one in await story.examples.examples("sentiment")] == ["calm"]


async def test_a_slow_question_holds_up_no_other(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path, MOOD, FRAUD, grace=5.0)
    oracle = story.predictor
    assert isinstance(oracle, Oracle)
    usual = oracle.predict

    async def never(query: Query, texts: Sequence[str]) -> list[Prediction]:
        if query.task.name == "sentiment":
            await asyncio.Event().wait()
        return await usual(query, texts)

    oracle.predict = never  # type: ignore[method-assign]
    await story.writes("I was charged twice", "m1")
    story.later(5)
    await story.sorter.step()
    assert [row[0] for row in await decided(database)] == ["routing", "fraud"]


async def test_routing_is_the_same_to_the_last_message_with_any_pack(database: Database, tmp_path: Path) -> None:
    texts = ["I was charged twice", "where is my parcel", "the vpn is down", "who can help", "gift cards, outrageous"]
    harmless = replace(FRAUD, labels=tuple(replace(one, consequences=Consequences()) for one in FRAUD.labels))
    made = []
    for turn, questions in enumerate(((), (MOOD, harmless))):
        story = told(database, tmp_path, *questions)
        for number, text in enumerate(texts):
            await story.writes(text, f"{turn}-{number}", author=Person("web", f"writer{turn}-{number}", "W"))
        story.later(5)
        await story.sorter.step()
        newest = select(DecisionRow).where(DecisionRow.task == TASK.name).order_by(DecisionRow.id.desc())
        async with database.transaction() as session:
            rows = await session.scalars(newest.limit(len(texts)))
            said = [(row.label, row.by, row.reason, sorted(row.probabilities.items())) for row in rows]
        made.append(sorted(said))
    assert made[0] == made[1] and len(made[0]) == len(texts)


async def test_a_question_learns_by_itself_and_leads_hear_of_it(story: Story) -> None:
    known = [
        Example(f"{kind} number {n} {label}", label, Source.IMPORT, Side.HELD_OUT if n % 2 else Side.TRAIN, story.now())
        for label, kind in (("upset", "outrageous"), ("calm", "thanks"), ("glad", "wonderful"))
        for n in range(60)
    ]
    await story.examples.add_examples("sentiment", known)
    assert await story.registry.request_cycle("sentiment", "test", "now", story.time)
    assert await story.learner.step() == 1
    await story.settles()
    [report] = [item.post for item in story.said() if isinstance(item.post.content, LearningReport)]
    assert report.place == Place("web", "triage")
    assert isinstance(report.content, LearningReport) and report.content.task == "sentiment"
    assert await story.registry.adapters(TASK.name) == []


async def test_pack_add_writes_the_question_imports_its_examples_and_refuses_to_do_it_twice(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    file = tmp_path / "switchboard.toml"
    file.write_text(settings_text(of_names(["web"], platform_modules()), http=False), "utf-8")
    add = ["pack", "add", "fraud", "--config", str(file)]
    done = await asyncio.to_thread(CliRunner().invoke, cli, add)
    assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    [question] = load(file, {}).questions
    assert (question.name, question.fallback, question.label("suspicious").emoji) == ("fraud", "ordinary", {"web": "🕵"})
    known = await PostgresExamples(database).examples("fraud")
    imported = [one for one in known if one.source is Source.IMPORT]
    assert Counter(one.label for one in imported) == {"ordinary": 64, "suspicious": 63}
    before = file.read_text("utf-8")
    again = await asyncio.to_thread(CliRunner().invoke, cli, add)
    assert again.exit_code == 2 and "tasks.fraud is in" in again.stderr
    assert file.read_text("utf-8") == before
