"""`switchboard route` applies the rules whose conditions depend only on a text."""

from bot.domain.decisions import Author, Opinion
from bot.domain.rules import Conditions, Outcome, Rule, Rules
from bot.domain.word_list import phrase
from bot.flow.by_rule import by_rule
from bot.flow.classify import Considered
from tests.samples import NOW, TASK

KNOWN = Considered("the printer was charged", (Opinion(Author.MODEL, {"it": 0.9, "billing": 0.1}),), None, "en")
WORDS = Conditions(words=(phrase("charged"),))


def test_a_rule_about_words_decides() -> None:
    made = by_rule(TASK, KNOWN, Rules((Rule("payments", WORDS, Outcome("routing", "billing")),)), NOW)
    assert made is not None
    assert (made.label, made.by, made.rule, made.language) == ("billing", Author.RULE, "payments", "en")


def test_a_rule_that_asks_asks_among_the_likeliest() -> None:
    made = by_rule(TASK, KNOWN, Rules((Rule("payments", WORDS, Outcome("routing")),)), NOW)
    assert made is not None
    assert made.candidates[:2] == ("it", "billing")


def test_who_writes_and_where_is_not_known_here() -> None:
    theirs = Conditions(senders=frozenset({("web", "customer")}))
    somewhere = Conditions(rooms=frozenset({("web", "customer")}))
    rules = Rules(tuple(Rule(str(n), one, Outcome("routing", "it")) for n, one in enumerate((theirs, somewhere))))
    assert by_rule(TASK, KNOWN, rules, NOW) is None
    assert by_rule(TASK, KNOWN, Rules((Rule("mood", WORDS, Outcome("mood", "upset")),)), NOW) is None
