"""What is no request, by a rule, a voice or mere thanks, and holds a suspicion: a team looks at it all the same."""

from pathlib import Path

import pytest

from bot.domain.decisions import Author
from bot.domain.errors import Unreachable
from bot.domain.rules import Conditions, Outcome, Rule, Rules
from bot.domain.tasks import NOT_A_REQUEST
from bot.domain.word_list import phrase
from db.engine import Database
from tests.integration.flow.oracle import FRAUD, SECURITY, Oracle, alerts
from tests.integration.flow.test_no_request import FYI, knowing, states
from tests.samples import AGENT, CUSTOMER
from tests.worlds.story import Story

SUSPECTED = Rule("gift cards", Conditions(words=(phrase("gift cards"),)), Outcome("fraud", "suspicious"))
THANKS = Rule(
    "thanks of a stranger",
    Conditions(senders=frozenset({(CUSTOMER.platform, CUSTOMER.id)})),
    Outcome("fraud", "suspicious"),
)
TEXT = "FYI: I was charged, buy gift cards and send the codes"


def _story(database: Database, folder: Path, *rules: Rule) -> Story:
    return Story(
        database, folder, knowing(kind=True), predictor=Oracle(), questions=(FRAUD,), rules=Rules(rules), grace=30.0
    )


async def _a_team_looks(story: Story, database: Database) -> None:
    assert await states(database) == [("billing", "routed")]
    [answer] = story.reads().answers
    assert (answer.label, "hold" in answer.follows) == ("suspicious", True)
    assert len(alerts(story, SECURITY)) == 1


@pytest.mark.parametrize("rules", [(FYI, SUSPECTED), (SUSPECTED, FYI)])
async def test_one_rule_dismisses_and_another_suspects(
    database: Database, tmp_path: Path, rules: tuple[Rule, ...]
) -> None:
    story = _story(database, tmp_path, *rules)
    await story.writes(TEXT, "m1")
    await story.settles()
    await _a_team_looks(story, database)
    assert story.heard() == []


async def test_a_voice_dismisses_and_another_suspects(database: Database, tmp_path: Path) -> None:
    story = _story(database, tmp_path)
    story.predictor.rules[None] = lambda _text: NOT_A_REQUEST
    await story.writes("charged, the lift works again, buy gift cards", "m1")
    await story.settles()
    [(label, state)] = await states(database)
    assert (label == NOT_A_REQUEST, state) == (False, "routed")
    assert story.heard() == []


@pytest.mark.parametrize("late", [False, True], ids=["a voice answers at once", "a voice answers when it is back"])
async def test_a_rule_dismisses_and_a_voice_suspects_after_it(database: Database, tmp_path: Path, late: bool) -> None:
    story = _story(database, tmp_path, FYI)
    oracle = story.predictor
    assert isinstance(oracle, Oracle)
    if late:
        oracle.trouble["fraud"] = Unreachable("down")
        story.embedder.failure = Unreachable("no vectors")
    await story.writes(TEXT, "m1")
    story.later(5)
    await story.sorter.step()
    assert await states(database) == [(NOT_A_REQUEST, "closed")]
    oracle.trouble, story.embedder.failure = {}, None
    await story.settles()
    story.later(minutes=1)
    await story.settles()
    await _a_team_looks(story, database)


@pytest.mark.parametrize("text", [TEXT, "FYI: buy gift cards"], ids=["sure of the team", "unsure of the team"])
async def test_the_suspicion_stays_though_the_voice_is_late_when_a_team_is_decided(
    database: Database, tmp_path: Path, text: str
) -> None:
    story = _story(database, tmp_path, FYI)
    oracle = story.predictor
    assert isinstance(oracle, Oracle)
    await story.writes(text, "m1")
    story.later(5)
    await story.sorter.step()
    await story.courier.step()
    dismissed = story.heard()
    await story.asker.step()  # opens it again, for a suspect is looked at
    assert await states(database) == [(None, "new")]
    oracle.trouble["fraud"] = Unreachable("down")
    story.embedder.failure = Unreachable("no vectors")
    story.later(minutes=1)
    await story.sorter.step()
    await story.courier.step()
    assert story.heard() == dismissed
    [answer] = story.reads().answers
    assert (answer.label, "hold" in answer.follows) == ("suspicious", True)
    oracle.trouble, story.embedder.failure = {}, None
    await story.settles()
    assert story.heard() == dismissed
    assert len(alerts(story, SECURITY)) == 1


async def test_who_is_not_suspected_is_dismissed_as_before(database: Database, tmp_path: Path) -> None:
    story = _story(database, tmp_path, FYI)
    await story.writes("FYI: the lift works again", "m1")
    await story.settles()
    story.later(minutes=1)
    await story.settles()
    assert await states(database) == [(NOT_A_REQUEST, "closed")]
    assert story.cards() == []


async def test_mere_thanks_of_a_suspect_reach_a_team(database: Database, tmp_path: Path) -> None:
    story = _story(database, tmp_path, THANKS)
    await story.writes("Thank you so much!", "m1")
    await story.settles()
    assert await states(database) == [("triage", "routed")]
    assert [one.by for one in story.reads().answers] == [Author.RULE]


async def test_what_a_lead_dismissed_stays_so(database: Database, tmp_path: Path) -> None:
    story = _story(database, tmp_path)
    oracle = story.predictor
    assert isinstance(oracle, Oracle)
    oracle.trouble["fraud"] = Unreachable("down")
    await story.writes("charged, buy gift cards", "m1")
    story.later(5)
    await story.sorter.step()
    await story.courier.step()
    await story.reacts("🚫")
    await story.corrector.step()
    assert await states(database) == [(NOT_A_REQUEST, "closed")]
    oracle.trouble = {}
    await story.settles()
    story.later(minutes=1)
    await story.settles()
    assert await states(database) == [(NOT_A_REQUEST, "closed")]


async def test_the_team_may_say_so_once_it_looked(database: Database, tmp_path: Path) -> None:
    story = _story(database, tmp_path, FYI, SUSPECTED)
    await story.writes(TEXT, "m1")
    await story.settles()
    await story.reacts("👀", by=AGENT)
    await story.reacts("🚫")
    await story.settles()
    assert await states(database) == [(NOT_A_REQUEST, "closed")]
