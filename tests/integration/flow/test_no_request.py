"""Messages that need no action: no card, no team, closed at once; leads can say so and take it back."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.decisions import Author, Reason
from bot.domain.learning import Source
from bot.domain.posts import Answer, Moved, Question, WordsPlease
from bot.domain.rules import Conditions, Outcome, Rule, Rules
from bot.domain.tasks import NOT_A_REQUEST, Label, Task
from bot.domain.word_list import phrase
from db.engine import Database
from db.queries import PostgresQueries
from db.tables import ConversationRow
from tests.samples import AGENT, TASK
from tests.worlds.story import Story

NOBODYS = Label(NOT_A_REQUEST, "News and thanks", emoji={"web": "🚫"}, title="Not a request")
FYI = Rule("announcements", Conditions(words=(phrase("FYI"),)), Outcome("routing", NOT_A_REQUEST))
KIND = Answer(NOT_A_REQUEST, "en", no_request=True)


def knowing(kind: bool = False) -> Task:
    return replace(TASK, labels=(*TASK.labels, NOBODYS), kind_word=kind)


@pytest.fixture
def quiet(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path, knowing(), rules=Rules((FYI,)))


@pytest.fixture
def kind(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path, knowing(kind=True), rules=Rules((FYI,)))


async def states(database: Database) -> list[tuple[str | None, str]]:
    async with database.transaction() as session:
        rows = await session.execute(select(ConversationRow.label, ConversationRow.state).order_by(ConversationRow.id))
        return [(label, state) for label, state in rows]


async def test_an_announcement_is_over_at_once_and_nobody_is_disturbed(quiet: Story, database: Database) -> None:
    await quiet.writes("FYI: the lift works again", "m1")
    await quiet.settles()
    assert (quiet.heard(), quiet.cards()) == ([], [])
    assert await states(database) == [(NOT_A_REQUEST, "closed")]
    quiet.later(minutes=120)
    await quiet.settles()
    assert quiet.said() == []


async def test_with_a_kind_word_people_hear_a_sentence(kind: Story) -> None:
    await kind.writes("FYI: the lift works again", "m1")
    await kind.settles()
    assert kind.heard() == [KIND]
    assert kind.cards() == []


async def test_the_voices_find_it_too(quiet: Story, database: Database) -> None:
    quiet.predictor.rules[None] = lambda text: NOT_A_REQUEST if "lift" in text else "it"
    await quiet.writes("the lift works again", "m1")
    await quiet.settles()
    assert quiet.cards() == []
    assert await states(database) == [(NOT_A_REQUEST, "closed")]


@pytest.mark.parametrize(
    "thanks", ["Thank you so much!", "muito obrigada", "¡Gracias a todos!", "谢谢", "Спасибо", "👍"]
)
async def test_thanks_ask_for_nothing_in_any_language(quiet: Story, database: Database, thanks: str) -> None:
    ref = await quiet.writes(thanks, "m1")
    await quiet.settles()
    assert quiet.said() == []
    assert await states(database) == [(NOT_A_REQUEST, "closed")]
    account = await PostgresQueries(database).account(ref)
    assert account is not None
    assert [(made.by, made.reason) for _, made in account.decisions] == [(Author.RULE, Reason.THANKS)]


async def test_a_greeting_may_begin_something(quiet: Story) -> None:
    await quiet.writes("hello", "m1")
    await quiet.settles()
    assert quiet.heard() == [WordsPlease("en")]


async def test_where_it_is_off_thanks_are_asked_about_as_before(story: Story) -> None:
    await story.writes("thank you", "m1")
    await story.settles()
    assert story.heard() == [WordsPlease("en")]


@pytest.mark.parametrize("thread", [None, "m1"])
async def test_what_is_written_after_it_is_a_matter_of_its_own(
    quiet: Story, database: Database, thread: str | None
) -> None:
    await quiet.writes("FYI: the lift works again", "m1", thread=thread)
    await quiet.settles()
    quiet.later(minutes=5)
    await quiet.writes("where is my parcel", "m2", thread=thread)
    await quiet.settles()
    assert await states(database) == [(NOT_A_REQUEST, "closed"), ("delivery", "routed")]
    assert quiet.reads().excerpt == "where is my parcel"


async def test_a_lead_says_on_a_card_that_it_is_none_and_that_is_learned(quiet: Story, database: Database) -> None:
    await quiet.writes("I was charged twice, all fine now", "m1")
    await quiet.settles()
    heard = quiet.heard()
    await quiet.reacts("🚫")
    await quiet.settles()
    assert quiet.reads().moved_to == NOT_A_REQUEST
    assert quiet.heard() == heard
    assert len(quiet.cards()) == 1
    assert await states(database) == [(NOT_A_REQUEST, "closed")]
    taught = await quiet.examples.examples("routing")
    assert [(e.text, e.label, e.source) for e in taught] == [
        ("I was charged twice, all fine now", NOT_A_REQUEST, Source.CORRECTION)
    ]
    await quiet.writes("I was charged twice, all fine now", "m2")
    await quiet.settles()
    assert len(quiet.cards()) == 1

    await quiet.reacts("👀", card=0)
    await quiet.settles()
    assert (await states(database))[0] == (NOT_A_REQUEST, "closed")


async def test_taking_it_back_brings_the_request_back(quiet: Story, database: Database) -> None:
    await quiet.writes("I was charged twice", "m1")
    await quiet.settles()
    await quiet.reacts("🚫")
    await quiet.settles()
    await quiet.reacts("🚫", added=False)
    await quiet.settles()
    assert await states(database) == [("billing", "routed")]
    assert (quiet.reads().label, quiet.reads().moved_to, quiet.reads().reason) == ("billing", None, Reason.WITHDRAWN)
    assert await quiet.examples.examples("routing") == []


async def test_the_person_hears_kindly_that_it_is_closed(kind: Story) -> None:
    await kind.writes("I was charged twice", "m1")
    await kind.settles()
    await kind.reacts("🚫")
    await kind.settles()
    assert kind.heard()[-1] == KIND


async def test_a_lead_may_name_a_team_instead(kind: Story, database: Database) -> None:
    await kind.writes("I was charged twice", "m1")
    await kind.settles()
    await kind.reacts("🚫")
    await kind.settles()
    await kind.reacts("💻")
    await kind.settles()
    assert await states(database) == [("it", "routed")]
    assert kind.heard()[-1] == Moved("it", "en")
    assert kind.reads().label == "it"


async def test_somebody_who_is_no_lead_dismisses_nothing(quiet: Story, database: Database) -> None:
    await quiet.writes("I was charged twice", "m1")
    await quiet.settles()
    await quiet.reacts("🚫", by=AGENT)
    await quiet.settles()
    assert await states(database) == [("billing", "routed")]


async def test_anybody_may_make_a_request_of_what_was_none(kind: Story, database: Database) -> None:
    ref = await kind.writes("FYI: my parcel is lost", "m1")
    await kind.settles()
    assert await kind.ledger.make_request(ref, kind.time)
    await kind.settles()
    assert await states(database) == [("delivery", "routed")]
    assert kind.heard() == [KIND, Answer("delivery", "en")]
    assert kind.reads().excerpt == "FYI: my parcel is lost"
    again = kind.said()
    assert await kind.ledger.make_request(ref, kind.time)
    await kind.settles()
    assert kind.said() == again


async def test_the_voices_choose_among_teams_then(quiet: Story, database: Database) -> None:
    quiet.predictor.rules[None] = lambda text: NOT_A_REQUEST
    ref = await quiet.writes("the lift works again", "m1")
    await quiet.settles()
    assert await quiet.ledger.make_request(ref, quiet.time)
    await quiet.settles()
    [question] = quiet.heard()
    assert isinstance(question, Question)
    assert NOT_A_REQUEST not in question.candidates


async def test_thanks_that_somebody_wants_handled_go_to_the_fallback(quiet: Story) -> None:
    ref = await quiet.writes("thank you!", "m1")
    await quiet.settles()
    assert await quiet.ledger.make_request(ref, quiet.time)
    await quiet.settles()
    assert (quiet.reads().label, quiet.reads().reason) == ("triage", Reason.REQUESTED)


async def test_it_overtakes_a_leads_word_until_a_lead_speaks_again(quiet: Story, database: Database) -> None:
    ref = await quiet.writes("I was charged twice", "m1")
    await quiet.settles()
    await quiet.reacts("🚫")
    await quiet.settles()
    quiet.later(1)
    assert await quiet.ledger.make_request(ref, quiet.time)
    assert await quiet.examples.examples("routing") == []
    await quiet.settles()
    assert await states(database) == [("billing", "routed")]
    await quiet.reacts("👀")
    await quiet.settles()
    assert await states(database) == [("billing", "routed")]
    await quiet.reacts("🚫")
    await quiet.settles()
    assert await states(database) == [(NOT_A_REQUEST, "closed")]


async def test_what_is_a_request_already_stays_one(quiet: Story, database: Database) -> None:
    ref = await quiet.writes("I was charged twice", "m1")
    await quiet.settles()
    said = quiet.said()
    assert await quiet.ledger.make_request(ref, quiet.time)
    await quiet.settles()
    assert quiet.said() == said
    assert not await quiet.ledger.make_request(replace(ref, id="never"), quiet.time)
