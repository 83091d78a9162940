"""The settings: read once, and every mistake named together."""

from pathlib import Path

import pytest

from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.settings import load, with_listen

GOOD = """
[conversation]
settle_seconds = 2
languages = ["en", "es"]
[platforms.web]
[tasks.routing]
question = "Which team?"
fallback = "triage"
[tasks.routing.labels.billing]
means = "Invoices"
examples = ["I was charged twice"]
emoji = { web = "💰", slack = ":MoneyBag:", telegram = "❤️" }
deliver_to = { web = "billing", slack = "C0BILLING" }
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { web = "triage" }
[tasks.sentiment]
question = "How does the writer feel?"
[tasks.sentiment.labels.negative]
means = "Upset"
[tasks.sentiment.labels.fine]
means = "Not upset"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "switchboard.toml"
    path.write_text(text, "utf-8")
    return path


def mistakes(folder: Path, text: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text), environment or {})
    return "\n".join(caught.value.mistakes)


def test_what_is_left_out_has_a_sensible_default(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {})
    assert settings.database.url is None
    assert settings.database.directory == tmp_path / "var" / "postgres"
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8080)
    assert (settings.model.base, settings.model.server) == ("starter", None)
    assert settings.rhythm.settle.total_seconds() == 2
    assert settings.rhythm.idle.total_seconds() == 24 * 3600


def test_teams_are_labels_with_an_address_and_the_rest_only_records(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {})
    assert settings.routing.name == "routing"
    assert settings.routing.label("billing").deliver_to["slack"] == Place("slack", "C0BILLING")
    assert not settings.task("sentiment").routes


def test_emoji_are_in_each_platforms_normal_form(tmp_path: Path) -> None:
    emoji = load(write(tmp_path, GOOD), {}).routing.label("billing").emoji
    assert emoji == {"web": "💰", "slack": "moneybag", "telegram": "❤"}


def test_the_environment_overrides_the_database(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {"DATABASE_URL": "postgresql://db/switchboard"})
    assert settings.database.url == "postgresql://db/switchboard"


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    broken = """
    [web]
    listen = "everywhere"
    [platforms.irc]
    [tasks.routing]
    question = "Which team?"
    fallback = "triag"
    [tasks.routing.learning]
    schedule = "whenever"
    [tasks.routing.labels.billing]
    emoji = { telegram = "✅", web = "💰" }
    deliver_to = { web = "billing" }
    [tasks.routing.labels.triage]
    means = "The rest"
    emoji = { web = "💰" }
    colour = "red"
    """
    said = mistakes(tmp_path, broken)
    for expected in (
        "web.listen: 'everywhere' is no HOST:PORT",
        "platforms.irc: no such platform; there are slack, telegram, web",
        "tasks.routing.fallback: no label called 'triag'; labels are billing, triage",
        "tasks.routing.learning.schedule: 'whenever' is no cron expression",
        "tasks.routing.labels.billing.means: missing",
        "tasks.routing.labels.billing.emoji.telegram:",
        "tasks.routing.labels.triage.emoji.web: 💰 already means billing",
        "tasks.routing.labels.triage.colour: unknown",
    ):
        assert expected in said


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("settle_seconds = 2", 'settle_seconds = "two"'), "conversation.settle_seconds: must be a number"),
        (('["en", "es"]', '["en", "tlh"]'), "'tlh' is not spoken here; choose from en, es, pt-BR"),
        (
            ('fallback = "triage"', 'fallback = "triage"\nask_below = 60'),
            "tasks.routing.ask_below: must be a number from 0 to 1",
        ),
        (("[platforms.web]", "[platforms.slack]"), "SLACK_BOT_TOKEN is not set"),
        (('deliver_to = { web = "triage" }', 'deliver_to = { slack = "C0TRIAGE" }'), "none of slack is set up"),
        (('deliver_to = { web = "triage" }', 'deliver_to = { slack = "#triage" }'), "write the channel's ID"),
    ],
)
def test_a_mistake_says_what_to_change(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    assert expected in mistakes(tmp_path, GOOD.replace(*change))


def test_no_team_anywhere_is_a_mistake(tmp_path: Path) -> None:
    assert "exactly one task must send to teams" in mistakes(tmp_path, "[platforms.web]")


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; name one with --config or SWITCHBOARD_CONFIG"):
        load(tmp_path / "nowhere.toml", {})


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    assert "line 2" in mistakes(tmp_path, "\n[broken\nurl = 1")


def test_listening_elsewhere_changes_nothing_else(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {})
    moved = with_listen(settings, "127.0.0.1:9999")
    assert (moved.web.port, moved.routing) == (9999, settings.routing)
    assert with_listen(settings, None) == settings
    with pytest.raises(ConfigError, match=r"web\.listen"):
        with_listen(settings, "nonsense")
