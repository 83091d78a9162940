"""Further questions in the settings: the consequences of a label, and mistakes that are reported."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.consequences import Consequences
from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.settings import Settings, load

TEAMS = """
[platforms.web]
[tasks.routing]
question = "Which team?"
[tasks.routing.labels.billing]
means = "Money"
emoji = { web = "💰" }
deliver_to = { web = "billing" }
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { web = "triage" }
"""
FRAUD = """
[tasks.fraud]
question = "Is it fraud?"
[tasks.fraud.labels.suspicious]
means = "Fraud"
{follows}
[tasks.fraud.labels.ordinary]
means = "Anything else"
"""


def settings(folder: Path, follows: str = "", teams: str = TEAMS) -> Settings:
    file = folder / "switchboard.toml"
    file.write_text(teams + FRAUD.replace("{follows}", follows), "utf-8")
    return load(file, {})


def mistakes(folder: Path, follows: str = "", teams: str = TEAMS) -> list[str]:
    with pytest.raises(ConfigError) as wrong:
        settings(folder, follows, teams)
    return list(wrong.value.mistakes)


def test_a_question_is_no_task_that_routes(tmp_path: Path) -> None:
    read = settings(tmp_path)
    assert [task.name for task in read.questions] == ["fraud"]
    assert read.routing.name == "routing"
    assert read.questions[0].label("suspicious").consequences == Consequences()


def test_everything_that_may_follow_is_read(tmp_path: Path) -> None:
    follows = 'tell = "leads"\nalso_to = { web = "auditors" }\nsooner = 5\nhold = true\nfirst = true'
    [question] = settings(tmp_path, follows).questions
    assert question.label("suspicious").consequences == Consequences(
        tell=(Place("web", "triage"),),
        also_to=(Place("web", "auditors"),),
        sooner=timedelta(minutes=5),
        hold=True,
        first=True,
    )
    assert question.label("ordinary").consequences == Consequences()


@pytest.mark.parametrize("written", ["tell = {}", 'tell = ""', "tell = true", 'tell = "#room"', "tell = []"])
def test_a_consequence_that_names_no_room_is_a_mistake(tmp_path: Path, written: str) -> None:
    assert mistakes(tmp_path, written) == [
        'tasks.fraud.labels.suspicious.tell: names no room; write { web = "…" }, or "leads" for the fallback team\'s'
    ]


def test_a_room_where_nothing_runs_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, 'also_to = { slack = "C0AUDIT" }') == [
        "tasks.fraud.labels.suspicious.also_to.slack: slack is not set up; platforms here are web"
    ]


@pytest.mark.parametrize("minutes", ["0", "-3", '"soon"', "0.5"])
def test_a_clock_needs_minutes(tmp_path: Path, minutes: str) -> None:
    [mistake] = mistakes(tmp_path, f"sooner = {minutes}")[-1:]
    assert mistake.startswith("tasks.fraud.labels.suspicious.sooner: ")


@pytest.mark.parametrize("flag", ["hold", "first"])
def test_a_flag_is_true_or_false(tmp_path: Path, flag: str) -> None:
    assert mistakes(tmp_path, f'{flag} = "yes"') == [
        f"tasks.fraud.labels.suspicious.{flag}: write true or false, without quotes"
    ]


def test_two_questions_may_not_share_an_emoji(tmp_path: Path) -> None:
    assert mistakes(tmp_path, 'emoji = { web = "💰" }') == [
        "tasks.fraud.labels.suspicious.emoji.web: 💰 already means billing of tasks.routing; give each its own"
    ]


def test_nothing_follows_from_a_team(tmp_path: Path) -> None:
    teams = re.sub('means = "Money"', 'means = "Money"\nhold = true', TEAMS)
    assert mistakes(tmp_path, "", teams) == [
        "tasks.routing.labels.billing.hold: a team has a room already (deliver_to); this is for labels of further "
        "questions"
    ]


def test_what_the_handbook_shows_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "questions.md").read_text("utf-8")
    shown = "".join(re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    file = tmp_path / "switchboard.toml"
    file.write_text(TEAMS.replace("[platforms.web]", "[platforms.web]\n[platforms.slack]") + shown, "utf-8")
    questions = load(file, {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}).questions
    question = questions[0]
    assert [one.name for one in questions] == ["fraud", "products", "subject.legal", "subject.travel", "topic"]
    assert question.label("suspicious").consequences == Consequences(
        (Place("web", "triage"),), (Place("slack", "C0SECURITY"),), timedelta(minutes=10), hold=True, first=True
    )


@pytest.mark.parametrize("key", ['hours = "Mon-Fri 09:00-17:00"', 'leads = { web = ["lead"] }', 'topics = { a = "A" }'])
def test_what_only_a_team_has_is_refused_where_nothing_would_read_it(tmp_path: Path, key: str) -> None:
    name = key.split(" = ", maxsplit=1)[0]
    assert mistakes(tmp_path, key) == [
        f"tasks.fraud.labels.suspicious.{name}: only a team has {name}, and this label answers a further question"
    ]


def test_sooner_is_no_later_than_usual(tmp_path: Path) -> None:
    talk = "[conversation]\ntake_minutes = {}\n"
    assert mistakes(tmp_path, "sooner = 90", talk.format(30) + TEAMS) == [
        "tasks.fraud.labels.suspicious.sooner: that is later than conversation.take_minutes, 30; write less"
    ]
    for minutes in (0, 90):
        [question] = settings(tmp_path, "sooner = 90", talk.format(minutes) + TEAMS).questions
        assert question.label("suspicious").consequences.sooner == timedelta(minutes=90), "0: otherwise nobody is told"
