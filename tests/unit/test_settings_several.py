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
examples = ["what does it cost?", "{twice}"]
"""


TWICE = "the contract says something else"


def settings(folder: Path, subject: str = 'choose = "any"', teams: str = "", twice: str = TWICE) -> Settings:
    file = folder / "switchboard.toml"
    written = SETTINGS.replace("{subject}", subject).replace("{teams}", teams).replace("{twice}", twice)
    file.write_text(written, "utf-8")
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
        with pytest.raises(ConfigError) as wrong:
            settings(tmp_path, said)
        where = "tasks.subject.labels.money.examples: "
        assert list(wrong.value.mistakes) == [
            f"{where}'the contract says something else' is said of legal, too; leave it with one of the two"
        ]
        [subject] = settings(tmp_path, said, twice="the contract says nothing").questions
        assert subject.names == ("legal", "money") and not subject.part_of


def test_what_differs_in_case_alone_is_no_example_of_not_either(tmp_path: Path) -> None:
    legal, _ = settings(tmp_path, twice="The contract says something else!").questions
    assert legal.labels[1].examples == ("what does it cost?",)


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


def test_the_question_itself_is_no_task_and_its_labels_are_named(tmp_path: Path) -> None:
    read = settings(tmp_path)
    with pytest.raises(ConfigError) as wrong:
        read.task("subject")
    [mistake] = wrong.value.mistakes
    assert mistake.startswith("tasks.subject: ") and "subject.legal, subject.money" in mistake
