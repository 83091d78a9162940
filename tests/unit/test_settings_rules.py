"""`[[rules]]` in the settings: read in order, and every mistake reported with its place."""

from pathlib import Path

import pytest

from bot.domain.messages import Person, Place
from bot.domain.rules import Outcome, Written
from bot.platforms import platform_modules
from bot.settings import load
from tests.samples import NOW
from tests.unit.test_settings import GOOD, mistakes, write

RULES = """
[[rules]]
name = "invoices"
words = ["invoice", "fatura"]
language = ["en", "pt-BR"]
team = "billing"
[[rules]]
from = { web = "customer" }
channel = { web = ["help"] }
platform = "web"
outside_hours = "Mon-Fri 09:00-17:00"
pattern = 'INV-\\d+'
label = { sentiment = "negative" }
[[rules]]
domain = ["@Example.com"]
hours = "Sat 10:00-12:00"
ask = true
"""


def test_rules_are_read_in_their_order(tmp_path: Path) -> None:
    rules = load(write(tmp_path, GOOD + RULES), {}).rules
    assert [(rule.name, rule.then) for rule in rules.rules] == [
        ("invoices", Outcome("routing", "billing")),
        ("rule 2", Outcome("sentiment", "negative")),
        ("rule 3", Outcome("routing")),
    ]
    assert rules.rules[0].written == 'language = ["en", "pt-BR"], words = ["invoice", "fatura"]'
    assert rules.need_the_language
    said = Written("INV-7 is my fatura", Person("web", "customer"), Place("web", "help"), NOW.replace(hour=23), "pt")
    assert sorted(rules.applying(said)) == ["routing", "sentiment"]


def test_without_rules_there_are_none(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD), {}).rules.rules == ()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('team = "billing"', "rules[1]: would take every message; say which ones"),
        ('platform = "web"\nteam = "billing"', "rules[1]: would take every message"),
        ("pattern = '.*'\nteam = \"billing\"", "rules[1]: would take every message"),
        ('words = ["x"]\nteam = "sales"', "rules[1].team: no team called 'sales'; teams are billing, triage"),
        ('words = ["x"]', "rules[1].team: one of team, label, not_a_request, ask must say what follows"),
        ('words = ["x"]\nteam = "billing"\nask = true', "rules[1].team: one of team, label, not_a_request, ask must"),
        ('words = ["x"]\nask = false', "rules[1].ask: write true, or leave it out"),
        ('words = ["x"]\nlabel = { mood = "sad" }', "rules[1].label.mood: no task called so; tasks are routing, sen"),
        ('words = ["x"]\nlabel = { sentiment = "sad" }', "rules[1].label.sentiment: no label called 'sad'; labels are"),
        ('words = ["x"]\nlabel = { routing = "it" }', "rules[1].label.routing: its labels are teams; write team"),
        ('words = []\nteam = "billing"', "rules[1].words: empty"),
        ('words = ["!"]\nteam = "billing"', "rules[1].words: '!' has no letter and no digit"),
        ('pattern = "("\nteam = "billing"', "rules[1].pattern: missing ): (; write a regular expression of RE2"),
        ('pattern = "(?=a)"\nteam = "billing"', "rules[1].pattern: invalid perl operator"),
        ('hours = "Mon-Fri 17:00-09:00"\nteam = "billing"', "rules[1].hours: 'Mon-Fri 17:00-09:00' closes before"),
        ('hours = "weekends"\nteam = "billing"', "rules[1].hours: 'weekends' are no hours"),
        ('language = "english"\nteam = "billing"', "rules[1].language: 'english' is no language; write a code"),
        ('domain = "example"\nteam = "billing"', "rules[1].domain: 'example' is no domain; write one like"),
        ('platform = "slack"\nteam = "billing"', "rules[1].platform: 'slack' is not set up, so that it would never"),
        ('channel = { slack = "C0123ABCD" }\nteam = "billing"', "rules[1].channel.slack: slack is not set up, so that"),
        ('channel = { icq = "x" }\nteam = "billing"', "rules[1].channel.icq: no such platform"),
        ('from = { web = "nobody" }\nteam = "billing"', "rules[1].from.web: nobody is called 'nobody'; choices are"),
        ('form = "x"\nteam = "billing"', "rules[1].form: unknown; keys here are ask, channel, domain, from"),
        (
            'words = ["a"]\nhours = "Sat 10:00-12:00"\noutside_hours = "Sat 10:00-12:00"\nteam = "billing"',
            "rules[1]: can never hold: hours are all among outside_hours",
        ),
        (
            'words = ["a"]\nhours = "Sat 10:00-12:00"\noutside_hours = "Fri-Sun 09:00-24:00"\nteam = "billing"',
            "rules[1]: can never hold: hours are all among outside_hours",
        ),
        ('outside_hours = "Mon-Sun 00:00-24:00"\nteam = "billing"', "rules[1]: can never hold: outside_hours is all"),
        ('hours = "Mon-Sun 00:00-12:00, Sun-Sat 12:00-24:00"\nteam = "billing"', "rules[1]: would take every message"),
        ("pattern = '\\S'\nteam = \"billing\"", "rules[1]: would take every message"),
        ('from = { web = [] }\nteam = "billing"', "rules[1].from.web: empty, so that it would hold for nobody"),
        (
            'words = ["x"]\nchannel = { web = [] }\nteam = "billing"',
            "rules[1].channel.web: empty, so that it would hold for nobody",
        ),
        ('language = ["sv"]\nteam = "billing"', "rules[1].language: 'sv' is never found out from a text, so that it"),
        (
            'platform = "web"\nwords = ["x"]\nteam = "billing"\n[[rules]]\nwords = ["x"]\nask = true',
            "rules[2]: never counts, for 'rule 1' before it takes every message",
        ),
        (
            'hours = "Mon-Fri 09:00-17:00"\nteam = "billing"\n[[rules]]\nhours = "Tue 10:00-12:00"\nask = true',
            "rules[2]: never counts, for 'rule 1' before it takes every message",
        ),
        (
            'name = "a"\nwords = ["bill"]\nteam = "billing"\n[[rules]]\nwords = ["my bill"]\nask = true',
            "rules[2]: never counts, for 'a' before it takes every message that it could take",
        ),
        (
            'name = "a"\nwords = ["x"]\nteam = "billing"\n[[rules]]\nname = "A"\nwords = ["y"]\nask = true',
            "rules[2].name: 'A' is rules[1] already",
        ),
    ],
)
def test_a_mistake_in_a_rule_says_where_it_is_and_what_to_write(tmp_path: Path, rule: str, said: str) -> None:
    assert said in mistakes(tmp_path, f"{GOOD}\n[[rules]]\n{rule}\n")


def test_rules_that_are_no_list_are_refused(tmp_path: Path) -> None:
    assert "rules: must be a list of tables; begin each rule with [[rules]]" in mistakes(tmp_path, f"rules = 3\n{GOOD}")


def test_a_group_of_people_writes_nothing() -> None:
    slack = platform_modules()["slack"]
    assert slack.sender("U0123ABCD") == "U0123ABCD"
    with pytest.raises(ValueError, match="one person"):
        slack.sender("S0123ABCD")


def test_a_mistake_is_said_once(tmp_path: Path) -> None:
    said = mistakes(tmp_path, GOOD + '[[rules]]\nwords = ["!"]\nteam = "billing"\n')
    assert said.splitlines() == [
        "rules[1].words: '!' has no letter and no digit, so nothing could be found; write words"
    ]
