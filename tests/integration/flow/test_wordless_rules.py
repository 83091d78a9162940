"""Rules about who writes, and where, also decide about messages without text: a picture alone is a message."""

from pathlib import Path

import pytest

from bot.domain.decisions import Author, Reason
from bot.domain.posts import Answer, Question, WordsPlease
from bot.domain.rules import Conditions, Outcome, Rule, Rules
from db.engine import Database
from tests.integration.flow.oracle import FRAUD, MOOD, decided
from tests.samples import CUSTOMER, PHOTO
from tests.worlds.story import Story

WRITER = Conditions(senders=frozenset({(CUSTOMER.platform, CUSTOMER.id)}))
UPSET = Rule("regulars", WRITER, Outcome("sentiment", "upset"))
SUSPECTED = Rule("blocked", WRITER, Outcome("fraud", "suspicious"))
TO_IT = Rule("screenshots", WRITER, Outcome("routing", "it"))
ASKS = Rule("whose", WRITER, Outcome("routing"))


async def pictured(database: Database, folder: Path, *rules: Rule, wordless: str = "ask") -> Story:
    story = Story(database, folder, rules=Rules(rules), questions=(MOOD, FRAUD), wordless=wordless)
    await story.writes("", "m1", media=(PHOTO,))
    await story.settles()
    return story


async def test_a_team_and_an_answer(database: Database, tmp_path: Path) -> None:
    story = await pictured(database, tmp_path, UPSET, TO_IT)
    assert story.heard() == [Answer("it", "en")]
    card = story.reads()
    assert (card.label, card.by, card.media) == ("it", Author.RULE, (PHOTO,))
    assert ("sentiment", "upset", "rule") in await decided(database)


async def test_an_answer_goes_along_where_the_fallback_team_has_it(database: Database, tmp_path: Path) -> None:
    story = await pictured(database, tmp_path, UPSET, wordless="fallback")
    assert story.reads().reason == Reason.WORDLESS
    assert [(one.label, one.by) for one in story.reads().answers] == [("upset", Author.RULE)]


async def test_who_is_suspected_is_asked_nothing_not_even_for_words(database: Database, tmp_path: Path) -> None:
    story = await pictured(database, tmp_path, SUSPECTED)
    assert story.heard() == []
    assert [(one.label, one.by) for one in story.reads().answers] == [("suspicious", Author.RULE)]


async def test_which_team_is_asked_where_a_rule_says_so(database: Database, tmp_path: Path) -> None:
    story = await pictured(database, tmp_path, ASKS)
    [asked] = story.heard()
    assert isinstance(asked, Question) and asked.candidates


@pytest.mark.parametrize("rules", [(), (UPSET,)])
async def test_words_are_asked_for_where_no_rule_knows_the_team(
    database: Database, tmp_path: Path, rules: tuple[Rule, ...]
) -> None:
    story = await pictured(database, tmp_path, *rules)
    assert story.heard() == [WordsPlease("en")]
