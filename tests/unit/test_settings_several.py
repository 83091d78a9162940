"""Further questions that several labels may answer at once, in the settings."""

from pathlib import Path

import pytest

from bot.domain.errors import ConfigError
from bot.settings import Settings, load

SETTINGS = """
[platforms.web]
[tasks.routing]
question = "Which team?"
{teams}
[tasks.routing.labels.billing]
means = "Money"
deliver_to = { web = "billing" }
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { web = "triage" }
[tasks.subject]
question = "What is it about?"
{subject}
[tasks.subject.labels.legal]
title = "Legal"
means = "Contracts and lawyers"
examples = ["I will sue you", "the contract says something else"]
emoji = { web = "⚖️" }
first = true
[tasks.subject.labels.money]
means = "Charges"
examples = ["what does it cost?", "the contract says something else"]
"""


def settings(folder: Path, subject: str = 'choose = "any"', teams: str = "") -> Settings:
    file = folder / "switchboard.toml"
    file.write_text(SETTINGS.replace("{subject}", subject).replace("{teams}", teams), "utf-8")
    return load(file, {})


def test_each_label_is_asked_about_by_itself(tmp_path: Path) -> None:
    legal, money = settings(tmp_path).questions
    assert (legal.name, money.name, legal.part_of, money.part_of) == (
        "subject.legal",
        "subject.money",
        "subject",
        "subject",
    )
    yes, no = legal.labels
    assert (yes.name, yes.shown, yes.consequences.first, legal.fallback) == ("yes", "Legal", True, "no")
    assert list(yes.emoji) == ["web"] and no.emoji == {}
    assert (no.name, no.shown, no.examples) == ("no", "✗ Legal", ("what does it cost?",)), (
        "what is both is no example of not"
    )


def test_one_answer_is_what_a_question_has_unless_it_says_otherwise(tmp_path: Path) -> None:
    for said in ("", 'choose = "one"'):
        [subject] = settings(tmp_path, said).questions
        assert subject.names == ("legal", "money") and not subject.part_of


@pytest.mark.parametrize(
    ("subject", "teams", "mistake"),
    [
        (
            'choose = "any"\nsuggests = true',
            "",
            "tasks.subject.suggests: one thing is suggested, the likeliest; leave out",
        ),
        ("suggests = 1", "", "tasks.subject.suggests: "),
        ('choose = "any"', "suggests = true", "tasks.routing.suggests: a team is no suggestion"),
        ('choose = "some"', "", "tasks.subject.choose: 'some' is no choice; choose from any, one"),
        ('choose = "any"\nfallback = "money"', "", "tasks.subject.fallback: where any may be right, none may be, too"),
        ('choose = "any"', 'choose = "any"', "tasks.routing.choose: a request has one team"),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, subject: str, teams: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        settings(tmp_path, subject, teams)
    assert any(one.startswith(mistake) for one in wrong.value.mistakes)
