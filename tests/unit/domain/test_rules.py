"""Rules: all conditions have to hold, the first rule of a question counts, and the resulting decision."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.decisions import Author, Decision, Reason, fallback
from bot.domain.hours import hours
from bot.domain.messages import Person, Place
from bot.domain.rule_checks import contradicts_itself, hidden_by, takes_everything
from bot.domain.rules import Conditions, Outcome, Rule, Rules, Written, asking, domain_of, ruled
from bot.domain.safe_pattern import SafePattern
from bot.domain.word_list import phrase
from tests.samples import TASK

MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANN = Person("slack", "U1", "Ann")
SAID = Written("Please pay invoice INV-7", ANN, Place("slack", "C1", "1"), MONDAY_NOON, "en")
WORKING = hours("Mon-Fri 09:00-17:00", "UTC")
BILLING, IT = Outcome("routing", "billing"), Outcome("routing", "it")


def words(*written: str) -> Conditions:
    return Conditions(words=tuple(map(phrase, written)))


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        (Conditions(senders=frozenset({("slack", "U1")})), True),
        (Conditions(senders=frozenset({("telegram", "U1")})), False),
        (Conditions(rooms=frozenset({("slack", "C1"), ("slack", "C2")})), True),
        (Conditions(rooms=frozenset({("slack", "C2")})), False),
        (Conditions(platforms=frozenset({"slack"})), True),
        (Conditions(platforms=frozenset({"web"})), False),
        (Conditions(languages=frozenset({"en", "pt"})), True),
        (Conditions(languages=frozenset({"pt"})), False),
        (words("receipt", "invoice"), True),
        (words("receipt"), False),
        (Conditions(pattern=SafePattern(r"INV-\d")), True),
        (Conditions(pattern=SafePattern(r"^INV")), False),
        (Conditions(hours=WORKING), True),
        (Conditions(outside_hours=WORKING), False),
        (replace(words("invoice"), platforms=frozenset({"slack"}), hours=WORKING), True),
        (replace(words("invoice"), platforms=frozenset({"web"}), hours=WORKING), False),
    ],
)
def test_all_conditions_have_to_hold(where: Conditions, holds: bool) -> None:
    assert bool(Rules((Rule("one", where, BILLING),)).applying(SAID)) is holds


def test_what_is_written_at_night_is_outside_of_the_hours() -> None:
    at_night = replace(SAID, at=MONDAY_NOON.replace(hour=23))
    assert "routing" in Rules((Rule("night", Conditions(outside_hours=WORKING), IT),)).applying(at_night)


@pytest.mark.parametrize(
    ("id", "holds"),
    [
        ("bo@example.com", True),
        ("bo@Mail.Example.com", True),
        ("bo@badexample.com", False),
        ("U1", False),
        ("@bo", False),
    ],
)
def test_a_domain_holds_for_addresses_of_it_and_below_it(id: str, holds: bool) -> None:
    said = replace(SAID, person=Person("mail", id, "bo@example.com"))
    where = Conditions(domains=frozenset({"example.com"}))
    assert bool(Rules((Rule("theirs", where, BILLING),)).applying(said)) is holds


def test_whose_id_is_no_address_has_no_domain() -> None:
    assert [domain_of(Person("slack", id)) for id in ("U1", "ann@", "ann@example.com")] == [None, None, "example.com"]


def test_of_each_question_the_first_rule_that_applies_counts() -> None:
    upset = Outcome("mood", "upset")
    rules = Rules(
        (
            Rule("no", words("receipt"), IT),
            Rule("mood", words("pay"), upset),
            Rule("first", words("invoice"), BILLING),
            Rule("second", words("invoice", "pay"), IT),
        )
    )
    assert {task: rule.name for task, rule in rules.applying(SAID).items()} == {"mood": "mood", "routing": "first"}
    assert dict(zip(("no", "mood", "first", "second"), (unmet for _, unmet in rules.unmet(SAID)), strict=True)) == {
        "no": ["words"],
        "mood": [],
        "first": [],
        "second": [],
    }


def test_who_was_asked_is_not_asked_again() -> None:
    rules = Rules((Rule("ask", words("invoice"), Outcome("routing")), Rule("then", words("pay"), IT)))
    assert rules.applying(SAID)["routing"].name == "ask"
    assert rules.applying(SAID, may_ask=False)["routing"].name == "then"


def test_a_rule_decides_in_its_own_name() -> None:
    assert ruled(Rule("invoices", words("invoice"), BILLING)) == Decision(
        "routing", "billing", Author.RULE, Reason.RULE, rule="invoices"
    )


def test_a_rule_that_asks_offers_what_the_voices_find_likeliest() -> None:
    guess = Decision(
        "routing", "it", Author.MODEL, Reason.CONFIDENT, {"it": 0.8, "delivery": 0.15}, adapter="routing-1"
    )
    made = asking(TASK, Rule("ask", words("invoice"), Outcome("routing")), guess)
    assert made.candidates == ("it", "delivery", "billing")
    assert (made.by, made.reason, made.rule, made.adapter) == (Author.RULE, Reason.RULE, "ask", None)
    blind = asking(TASK, Rule("ask", words("invoice"), Outcome("routing")), fallback(TASK, Reason.MODEL_DOWN))
    assert (blind.label, blind.candidates) == ("billing", ("billing", "delivery", "it"))


# --- faults of rules ---


@pytest.mark.parametrize(
    ("where", "everything"),
    [
        (Conditions(), True),
        (Conditions(pattern=SafePattern(".*")), True),
        (Conditions(platforms=frozenset({"slack", "web"})), True),
        (Conditions(platforms=frozenset({"slack"})), False),
        (words("invoice"), False),
        (replace(words("invoice"), pattern=SafePattern(".*")), False),
    ],
)
def test_a_rule_that_takes_everything_is_known(where: Conditions, everything: bool) -> None:
    assert takes_everything(where, frozenset({"slack", "web"})) is everything


@pytest.mark.parametrize(
    ("earlier", "later", "hidden"),
    [
        (words("invoice"), words("invoice"), True),
        (words("invoice"), words("unpaid invoice"), True),
        (words("unpaid invoice"), words("invoice"), False),
        (words("invoice", "bill"), words("bill"), True),
        (words("bill"), words("invoice", "bill"), False),
        (words("bill"), replace(words("bill"), languages=frozenset({"pt"})), True),
        (replace(words("bill"), languages=frozenset({"pt"})), words("bill"), False),
        (Conditions(platforms=frozenset({"slack"})), Conditions(rooms=frozenset({("slack", "C1")})), True),
        (Conditions(platforms=frozenset({"slack"})), Conditions(rooms=frozenset({("web", "C1")})), False),
        (Conditions(domains=frozenset({"example.com"})), Conditions(domains=frozenset({"mail.example.com"})), True),
        (Conditions(hours=WORKING), replace(words("bill"), hours=WORKING), True),
        (Conditions(hours=WORKING), words("bill"), False),
        (Conditions(pattern=SafePattern("a")), Conditions(pattern=SafePattern("a")), True),
        (Conditions(pattern=SafePattern("a")), Conditions(pattern=SafePattern("ab")), False),
    ],
)
def test_a_rule_that_an_earlier_one_leaves_nothing_is_known(
    earlier: Conditions, later: Conditions, hidden: bool
) -> None:
    first, second = Rule("first", earlier, BILLING), Rule("second", later, IT)
    assert hidden_by([first, second]) == ([(second, first)] if hidden else [])
    other = replace(second, then=Outcome("mood", "upset"))
    assert hidden_by([first, other]) == []


def test_conditions_that_contradict_each_other_are_known() -> None:
    on_slack, on_web = frozenset({("slack", "U1")}), frozenset({("web", "C1")})
    assert contradicts_itself(Conditions(hours=WORKING, outside_hours=WORKING)) is not None
    assert contradicts_itself(Conditions(senders=on_slack, platforms=frozenset({"web"}))) is not None
    assert contradicts_itself(Conditions(senders=on_slack, rooms=on_web)) is not None
    assert contradicts_itself(Conditions(senders=on_slack, hours=WORKING)) is None
