"""Rules decide before any voice is asked, in the whole flow: card, audit, undo, and what is learned from them."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.decisions import Author, Reason
from bot.domain.errors import Unreachable
from bot.domain.learning import Source
from bot.domain.posts import Answer, Question
from bot.domain.rule_record import RuleRecord
from bot.domain.rules import Conditions, Outcome, Rule, Rules
from bot.domain.word_list import phrase
from db.conversations import decision_counts
from db.engine import Database
from db.queries import PostgresQueries
from db.tables import DecisionRow
from tests.samples import TASK
from tests.worlds.story import Story

TO_IT = Rule("keyboards", Conditions(words=(phrase("charged"),)), Outcome("routing", "it"))
UPSET = Rule("shouting", Conditions(words=(phrase("charged"),)), Outcome("mood", "upset"))
ASKS = Rule("unclear", Conditions(words=(phrase("charged"),)), Outcome("routing"))


@pytest.fixture
def ruled(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path, rules=Rules((UPSET, TO_IT)))


async def test_a_rule_decides_and_no_voice_is_asked(ruled: Story) -> None:
    await ruled.writes("I was charged twice", "m1")
    await ruled.settles()
    assert ruled.predictor.asked == 0
    assert ruled.heard() == [Answer("it", "en")]
    card = ruled.reads()
    assert (card.label, card.by, card.reason, card.rule, card.voices) == (
        "it",
        Author.RULE,
        Reason.RULE,
        "keyboards",
        (),
    )


async def test_a_rule_works_while_the_model_is_away(ruled: Story) -> None:
    ruled.predictor.failure = Unreachable("the model server is away")
    await ruled.writes("I was charged twice", "m1")
    await ruled.settles()
    assert ruled.reads().label == "it"


async def test_what_no_rule_takes_the_voices_decide(ruled: Story) -> None:
    await ruled.writes("where is my parcel", "m1")
    await ruled.settles()
    assert (ruled.reads().label, ruled.reads().by) == ("delivery", Author.MODEL)


async def test_the_audit_names_the_rule_of_each_question(ruled: Story, database: Database) -> None:
    ref = await ruled.writes("I was charged twice", "m1")
    await ruled.settles()
    async with database.transaction() as session:
        columns = (DecisionRow.task, DecisionRow.label, DecisionRow.by, DecisionRow.rule)
        rows = [tuple(row) for row in await session.execute(select(*columns).order_by(DecisionRow.id))]
    assert rows == [("routing", "it", "rule", "keyboards"), ("mood", "upset", "rule", "shouting")]
    account = await PostgresQueries(database).account(ref)
    assert account is not None
    assert [made.rule for _, made in account.decisions] == ["keyboards"]
    assert [made.rule for _, made in account.answers] == ["shouting"]


async def test_a_rules_decision_teaches_nobody(ruled: Story) -> None:
    await ruled.writes("I was charged twice", "m1")
    await ruled.settles()
    assert await ruled.examples.examples("routing") == []
    assert await ruled.examples.examples("mood") == []


async def test_a_lead_who_confirms_it_makes_it_an_example(ruled: Story, database: Database) -> None:
    await ruled.writes("I was charged twice", "m1")
    await ruled.settles()
    await ruled.reacts("💻")
    await ruled.settles()
    assert [(e.label, e.source) for e in await ruled.examples.examples("routing")] == [("it", Source.CONFIRMATION)]
    assert (await PostgresQueries(database).rule_records())["keyboards"] == RuleRecord(1, 0, 1)


async def test_a_lead_who_corrects_it_moves_it_and_teaches(ruled: Story, database: Database) -> None:
    queries = PostgresQueries(database)
    for number in range(3):
        await ruled.writes(f"I was charged {number} times", f"m{number}")
        await ruled.settles()
        await ruled.reacts("💰")
        await ruled.settles()
    assert ruled.reads().label == "billing"
    taught = await ruled.examples.examples("routing")
    assert {(e.label, e.source) for e in taught} == {("billing", Source.CORRECTION)}
    record = (await queries.rule_records())["keyboards"]
    assert record == RuleRecord(3, 3, 0)
    assert record.often_corrected

    await ruled.reacts("💰", added=False, card=-2)
    await ruled.settles()
    assert (ruled.reads().label, ruled.reads().reason) == ("it", Reason.WITHDRAWN)
    assert (await queries.rule_records())["keyboards"] == RuleRecord(3, 2, 0)


async def test_applications_are_counted_and_stay_counted(ruled: Story, database: Database) -> None:
    queries = PostgresQueries(database)
    await ruled.writes("I was charged twice", "m1")
    await ruled.settles()
    assert await queries.rules_applied() == {"keyboards": 1, "shouting": 1}
    await decision_counts.fold(database)
    await ruled.writes("charged once more", "m2")
    await ruled.settles()
    assert await queries.rules_applied() == {"keyboards": 2, "shouting": 2}


async def test_a_rule_may_have_the_person_asked_once(database: Database, tmp_path: Path) -> None:
    story = Story(database, tmp_path, rules=Rules((ASKS,)))
    await story.writes("I was charged twice", "m1")
    await story.settles()
    [question] = story.heard()
    assert isinstance(question, Question)
    assert question.candidates[0] == "billing"
    assert story.cards() == []
    await story.presses("0")
    await story.settles()
    assert (story.reads().label, story.reads().by, story.reads().rule) == ("billing", Author.PERSON, "")


async def test_a_rule_about_who_writes_takes_a_greeting_too(database: Database, tmp_path: Path) -> None:
    theirs = replace(TO_IT, where=Conditions(senders=frozenset({("web", "customer")})))
    story = Story(database, tmp_path, TASK, rules=Rules((theirs,)))
    await story.writes("hello", "m1")
    await story.settles()
    assert (story.reads().label, story.reads().rule) == ("it", "keyboards")
