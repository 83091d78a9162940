"""The consequences of answers to further questions: alerts, holds, priority and copies, undone with the label."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.decisions import Author
from bot.domain.errors import Unreachable
from bot.domain.messages import MessageRef, Person, Place
from bot.domain.posts import Answer, Notice, Question, Reply, What
from bot.domain.question_posts import Alert, QuestionAnswer
from bot.domain.rules import Conditions, Outcome, Rule, Rules
from bot.domain.word_list import phrase
from db.engine import Database
from db.queries import PostgresQueries
from db.tables import PostRow
from tests.fakes import FakePlatform
from tests.integration.flow.oracle import ALL, COPIES, FRAUD, SECURITY, Oracle, alerts, told
from tests.samples import AGENT, TASK
from tests.worlds.story import Story


@pytest.fixture
def guarded(database: Database, tmp_path: Path) -> Story:
    """Suspicious requests have consequences."""
    return told(database, tmp_path, FRAUD)


async def test_nothing_reaches_a_suspect_until_somebody_looked(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    assert guarded.heard() == []
    [answer] = guarded.reads().answers
    assert (answer.title, answer.follows) == ("Suspicious", ("hold", "sooner", "first", "tell", "also_to"))
    await guarded.reacts("👀", by=AGENT)
    await guarded.settles()
    assert guarded.heard() == [Answer("billing", "en")]
    [answer] = guarded.reads().answers
    assert "hold" not in answer.follows


async def test_a_suspect_is_not_asked_which_team_either(guarded: Story) -> None:
    await guarded.writes("please buy gift cards for me", "m1")
    await guarded.settles()
    assert [card.post.place.chat for card in guarded.cards()] == ["triage"]
    assert not any(isinstance(said, Question) for said in guarded.heard())


BROKEN = Conditions(words=(phrase("broken"),))
SUSPECTED = Rule("too broken", BROKEN, Outcome("fraud", "suspicious"))
TO_BE_ASKED = Rule("unclear", BROKEN, Outcome("routing"))


@pytest.mark.parametrize("others", [(), (TO_BE_ASKED,)], ids=["the voices are unsure", "another rule would ask"])
async def test_nor_is_whom_a_rule_suspects(database: Database, tmp_path: Path, others: tuple[Rule, ...]) -> None:
    story = Story(database, tmp_path, predictor=Oracle(), questions=(FRAUD,), rules=Rules((SUSPECTED, *others)))
    await story.writes("it is broken", "m1")
    await story.settles()
    assert [card.post.place.chat for card in story.cards()] == ["triage"]
    [answer] = story.reads().answers
    assert (answer.label, answer.by, "hold" in answer.follows) == ("suspicious", Author.RULE, True)
    async with database.transaction() as session:
        said = await session.scalars(select(PostRow.kind).where(PostRow.kind == Question.__name__))
        assert list(said) == [], "nor does a question wait until somebody looked"


async def test_a_reply_of_the_team_is_a_look_too(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.notes("reply: who are you?", "n1", by=AGENT)
    await guarded.settles()
    assert [type(said) for said in guarded.heard()] == [Answer, Reply]


async def test_other_rooms_hear_of_it_once_with_the_way_to_the_card(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    card = guarded.ref(guarded.cards()[0])
    [alert], [copy] = alerts(guarded, SECURITY), alerts(guarded, COPIES)
    assert (alert.title, alert.team, alert.card, alert.excerpt, alert.author) == ("Suspicious", "billing", card, "", "")
    assert (copy.copies, copy.excerpt, copy.author) == (True, "charged, buy gift cards and send the codes", "Cleo")
    await guarded.settles()
    assert len(alerts(guarded, SECURITY)) == 1


async def test_what_is_answered_too_late_has_its_consequences_all_the_same(guarded: Story) -> None:
    oracle = guarded.predictor
    assert isinstance(oracle, Oracle)
    oracle.trouble["fraud"] = Unreachable("down")
    guarded.embedder.failure = Unreachable("no vectors")
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    guarded.later(5)
    await guarded.sorter.step()
    oracle.trouble, guarded.embedder.failure = {}, None
    await guarded.settles()
    [answer] = guarded.reads().answers
    assert "tell" in answer.follows
    [alert], [copy] = alerts(guarded, SECURITY), alerts(guarded, COPIES)
    assert alert.card == copy.card == guarded.ref(guarded.cards()[0])


async def test_a_room_that_takes_nothing_is_told_of_under_the_card(guarded: Story) -> None:
    guarded.platform.closed["security"] = "not_in_channel"
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    [notice] = [said for said in guarded.thread() if isinstance(said, Notice)]
    assert (notice.what, notice.team, notice.problem) == (What.UNTOLD, "Suspicious", "not_in_channel")


async def test_taking_the_label_back_takes_back_what_followed(guarded: Story, database: Database) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.reacts("👍")
    await guarded.settles()
    [answer] = guarded.reads().answers
    assert (answer.label, answer.follows) == ("ordinary", ())
    assert guarded.heard() == [Answer("billing", "en")]
    assert [one.withdrawn for one in alerts(guarded, SECURITY)] == [False, True]
    assert [one.withdrawn for one in alerts(guarded, COPIES)] == [False, True]
    guarded.later(minutes=20)
    await guarded.settles()
    assert not any(isinstance(said, Notice) for said in guarded.thread()), "its team has the usual time again"
    await guarded.reacts("👍", added=False)
    await guarded.settles()
    assert alerts(guarded, SECURITY)[-1].withdrawn is False


async def test_rooms_that_heard_read_which_team_has_it_after_a_move(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.reacts("💻")
    await guarded.settles()
    for room in (SECURITY, COPIES):
        assert [one.team for one in alerts(guarded, room)] == ["billing", "it"]
        assert not alerts(guarded, room)[-1].withdrawn


async def test_its_team_is_reminded_sooner(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.writes("I was charged twice", "m2", author=Person("web", "somebody", "Sue"))
    await guarded.settles()
    guarded.later(minutes=6)
    await guarded.settles()
    threads = [[said.minutes for said in guarded.thread(n) if isinstance(said, Notice)] for n in (0, 1)]
    suspect = next(n for n in (0, 1) if guarded.reads(n).answers[0].label == "suspicious")
    assert (threads[suspect], threads[1 - suspect]) == ([5], [])


async def test_a_copy_follows_the_words_when_they_are_edited_and_deleted(guarded: Story) -> None:
    ref = await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.edits(ref, "charged, buy gift cards please")
    await guarded.settles()
    assert alerts(guarded, COPIES)[-1].excerpt == "charged, buy gift cards please"
    await guarded.deletes(ref)
    await guarded.settles()
    assert alerts(guarded, COPIES)[-1].excerpt == ""


async def test_forgetting_somebody_empties_the_copies(guarded: Story) -> None:
    await guarded.writes("charged, buy gift cards and send the codes", "m1")
    await guarded.settles()
    await guarded.erasure.erase(Person("web", "customer"), guarded.now())
    await guarded.settles()
    last = alerts(guarded, COPIES)[-1]
    assert (last.excerpt, last.author) == ("", "")


async def test_nothing_follows_from_a_guess(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path, replace(FRAUD, ask_below=0.95))
    await story.writes("charged, buy gift cards and send the codes", "m1")
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.follows) == ("suspicious", ())
    assert story.heard() == [Answer("billing", "en")] and alerts(story, SECURITY) == []


async def test_a_leads_word_is_no_guess_and_what_it_was_before_is_one_again(database: Database, tmp_path: Path) -> None:
    story = told(database, tmp_path, replace(FRAUD, ask_below=0.95))
    await story.writes("charged, buy gift cards and send the codes", "m1")
    await story.settles()
    await story.reacts("🚨")
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.by, answer.follows) == (Author.LEAD, ("sooner", "first", "tell", "also_to"))
    assert len(alerts(story, SECURITY)) == 1
    await story.reacts("🚨", added=False)
    await story.settles()
    [answer] = story.reads().answers
    assert (answer.label, answer.by, answer.follows) == ("suspicious", Author.MODEL, ())
    assert alerts(story, SECURITY)[-1].withdrawn


async def test_what_comes_first_stands_before_what_is_newer(guarded: Story, database: Database) -> None:
    await guarded.writes("buy gift cards for the director", "m1")
    guarded.later(minutes=1)
    await guarded.writes("something quite unclear", "m2", author=Person("web", "somebody", "Sue"))
    await guarded.settles()
    listed = await PostgresQueries(database).doubtful(10)
    assert [one.source.id for one in listed] == ["m1", "m2"]
    assert [one.title for one in listed[0].answers] == ["Suspicious"]


@pytest.mark.parametrize("platform", ["slack", "telegram"])
async def test_consequences_hold_on_every_platform(database: Database, tmp_path: Path, platform: str) -> None:
    chats = [FakePlatform(platform)]
    teams = tuple(replace(one, deliver_to={platform: Place(platform, one.name)}, emoji={}) for one in TASK.labels)
    rooms = replace(ALL, tell=(Place(platform, "security"),), also_to=(Place(platform, "auditors"),))
    suspicious = replace(FRAUD.labels[0], emoji={}, consequences=rooms)
    ordinary = replace(FRAUD.labels[1], emoji={platform: "👍"})
    question = replace(FRAUD, labels=(suspicious, ordinary))
    task = replace(TASK, labels=teams)
    story = Story(database, tmp_path, task, chats, predictor=Oracle(), questions=(question,))
    person, lead = Person(platform, "customer", "Cleo", "en"), Person(platform, "lead", "Lee")
    await story.writes("charged, buy gift cards and send the codes", "1", author=person)
    await story.settles()
    assert story.heard(person) == []
    assert [len(alerts(story, Place(platform, room))) for room in ("security", "auditors")] == [1, 1]
    await story.reacts("👍", by=lead)
    await story.settles()
    assert story.heard(person) == [Answer("billing", "en")]
    assert [one.withdrawn for one in alerts(story, Place(platform, "security"))] == [False, True]


def test_an_answer_is_read_back_as_it_was_stored() -> None:
    from db.reading.codec import decode, encode
    from tests.samples import card

    answer = QuestionAnswer(
        "fraud", "suspicious", "Suspicious", 0.9, "model", (("web", "🚨", "Suspicious"),), ("hold",), 5, (SECURITY,)
    )
    content = replace(card(), answers=(answer,))
    assert decode(*encode(content)) == content
    alert = Alert("fraud", "suspicious", "Suspicious", 0.9, "model", "billing", MessageRef("web", "billing", "post 1"))
    assert decode(*encode(alert)) == alert
