"""Topics of teams in the settings."""

from pathlib import Path

import pytest

from bot.domain.errors import ConfigError
from bot.settings import Settings, load

SETTINGS = """
[platforms.web]
[tasks.routing]
question = "Which team?"
unasked_right = 0.9
[tasks.routing.labels.billing]
means = "Money"
emoji = { web = "💰" }
deliver_to = { web = "billing" }
{billing}
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { web = "triage" }
{triage}
"""
TWO = """
[tasks.routing.labels.billing.topics]
refund = "Money back"
invoice = { title = "Invoices", means = "A paper", examples = ["where is my invoice"], emoji = { web = "🧾" } }
"""


def settings(folder: Path, billing: str = TWO, triage: str = "") -> Settings:
    file = folder / "switchboard.toml"
    file.write_text(SETTINGS.replace("{billing}", billing).replace("{triage}", triage), "utf-8")
    return load(file, {})


def mistake(folder: Path, billing: str, triage: str = "") -> str:
    with pytest.raises(ConfigError) as wrong:
        settings(folder, billing, triage)
    [only] = wrong.value.mistakes
    return only


def test_topics_are_one_question_besides_and_no_teams(tmp_path: Path) -> None:
    read = settings(tmp_path)
    assert [label.name for label in read.routing.labels] == ["billing", "triage"]
    [topics] = read.questions
    assert topics.name == "topic" and topics.asks_topics and topics.unasked_right == 0.9
    refund, invoice = topics.labels
    assert (refund.name, refund.means, refund.team, refund.shown) == ("refund", "Money back", "billing", "refund")
    assert (invoice.shown, invoice.examples, invoice.emoji) == ("Invoices", ("where is my invoice",), {"web": "🧾"})


def test_without_topics_there_is_no_such_question(tmp_path: Path) -> None:
    assert settings(tmp_path, "").questions == ()


BILLING = "tasks.routing.labels.billing.topics"
TRIAGE = "[tasks.routing.labels.triage.topics]\npress = 'Journalists'\n"


@pytest.mark.parametrize(
    ("billing", "triage", "said"),
    [
        (f"[{BILLING}]\nrefund = 'a'", "", f"{BILLING}: a team needs at least two topics"),
        (f"[{BILLING}]\nrefund = 'a'\ntriage = 'b'", "", f"{BILLING}.triage: a team is called so"),
        (TWO, TRIAGE + "refund = 'b'", "tasks.routing.labels.triage.topics.refund: billing has a topic of this name"),
        (f"[{BILLING}]\nrefund = 'a'\nback = {{ means = 'b', title = 'Refund' }}", "", f"{BILLING}.back.title: people"),
        (
            f"[{BILLING}]\nrefund = {{ means = 'a', emoji = {{ web = '🧾' }} }}\n"
            "back = { means = 'b', emoji = { web = '🧾' } }",
            "",
            f"{BILLING}.back.emoji.web: 🧾 already means refund",
        ),
        (
            f"[{BILLING}]\nrefund = 'a'\nback = {{ means = 'b', emoji = {{ web = '💰' }} }}",
            "",
            f"{BILLING}.back.emoji.web: 💰 already means billing of tasks.routing",
        ),
        (f"[{BILLING}]\nrefund = 'a'\nback = {{ means = 'b', hold = true }}", "", f"{BILLING}.back.hold: unknown"),
        (f"[{BILLING}]\nrefund = 'a'\nback = {{}}", "", f"{BILLING}.back.means: missing"),
        (f"[{BILLING}]\nrefund = 'a'\nback = 7", "", f"{BILLING}.back.means: missing"),
        (
            f"[{BILLING}]\nrefund = 'a'\nback = {{ means = 'b', examples = ['The REST!'] }}",
            "",
            f"{BILLING}.back.examples: 'The REST!' is said of triage, too; leave it with one of the two",
        ),
        (
            TWO,
            "[tasks.topic]\nquestion = 'a'\n[tasks.topic.labels.a]\nmeans = 'a'\n[tasks.topic.labels.b]\nmeans = 'b'",
            "tasks.topic: teams have topics",
        ),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, billing: str, triage: str, said: str) -> None:
    assert mistake(tmp_path, billing, triage).startswith(said)
