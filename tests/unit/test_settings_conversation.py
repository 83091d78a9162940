"""The settings of the conversation and of its teams: emoji, hours, titles, leads."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.domain.errors import ConfigError
from bot.domain.tasks import Vocabulary
from bot.settings import load
from tests.unit.test_settings import GOOD, mistakes, talking, write


def test_an_act_has_its_usual_emoji_where_nothing_is_written(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD), {}).vocabulary == Vocabulary(
        take={"slack": "eyes", "telegram": "👀", "web": "👀"},
        done={"slack": "white_check_mark", "telegram": "👌", "web": "✅"},
        wrong={"slack": "-1", "telegram": "👎", "web": "👎"},
        send={"slack": "outbox_tray", "telegram": "🕊", "web": "📤"},
        send_prefix="reply:",
        request={"slack": "ticket", "telegram": "✍"},
        no_request={"slack": "no_entry_sign", "telegram": "🙊", "web": "🚫"},
    )


def test_the_settings_choose_other_emoji_a_platform_at_a_time(tmp_path: Path) -> None:
    own = """
    send_prefix = "To them:"
    [conversation.emoji]
    take = { slack = ":raised_hand::skin-tone-3:", telegram = "✍️" }
    """
    vocabulary = load(talking(tmp_path, own), {}).vocabulary
    assert vocabulary.take == {"slack": "hand", "telegram": "✍", "web": "👀"}
    assert vocabulary.done["telegram"] == "👌"
    assert vocabulary.send_prefix == "To them:"


def test_what_is_written_of_the_conversation_is_what_happens(tmp_path: Path) -> None:
    settings = load(talking(tmp_path, 'reopen_hours = 1\ntake_minutes = 0\nwordless = "fallback"'), {})
    assert (settings.timing.reopen, settings.timing.take) == (timedelta(hours=1), timedelta())
    assert settings.wordless == "fallback"


def test_a_team_has_a_title_and_hours_in_the_time_zone_of_the_settings(tmp_path: Path) -> None:
    written = GOOD.replace("[conversation]", '[conversation]\ntimezone = "America/Sao_Paulo"').replace(
        'means = "Invoices"', 'means = "Invoices"\ntitle = "Accounts"\nhours = "Mon-Fri 09:00-17:30, Sat 10:00-14:00"'
    )
    billing = load(write(tmp_path, written), {}).routing.label("billing")
    assert billing.shown == "Accounts"
    assert billing.hours is not None
    assert billing.hours.open_at(datetime(2026, 11, 25, 20, 29, tzinfo=UTC))
    back = billing.hours.back_at(datetime(2026, 11, 25, 20, 31, tzinfo=UTC))
    assert back is not None and (back.weekday(), back.time()) == (3, time(9))


def test_a_team_has_leads_of_its_own_as_their_platforms_write_them(tmp_path: Path) -> None:
    written = 'leads = { slack = ["U0ANN", "S0LEADS"], telegram = [111222333, "admins"], web = ["lead"] }'
    led = GOOD.replace('means = "Invoices"', f'means = "Invoices"\n{written}')
    assert load(write(tmp_path, led), {}).routing.label("billing").leads == {
        "slack": frozenset({"U0ANN", "S0LEADS"}),
        "telegram": frozenset({"111222333", "admins"}),
        "web": frozenset({"lead"}),
    }
    for wrong in (
        'slack = ["ann"]',
        "slack = [5]",
        'telegram = ["111222333"]',
        "telegram = [true]",
        'web = ["nobody"]',
    ):
        said = mistakes(tmp_path, GOOD.replace('means = "Invoices"', f'means = "Invoices"\nleads = {{ {wrong} }}'))
        assert said.startswith(f"tasks.routing.labels.billing.leads.{wrong.split()[0]}: "), said
    said = mistakes(tmp_path, led.replace('["lead"]', '"lead"'))
    assert said == "tasks.routing.labels.billing.leads.web: must be a list, [ … ]"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('timezone = "Mars/Olympus"', "conversation.timezone: 'Mars/Olympus' is no time zone; write one like Europe/"),
        ('timezone = "Europe"', "conversation.timezone: 'Europe' is no time zone"),
        ('timezone = ""', "conversation.timezone: '' is no time zone"),
        ("take_minutes = -1", "conversation.take_minutes: must be a number from 0"),
        ("reopen_hours = inf", "conversation.reopen_hours: must be a number from 0"),
        ('wordless = "guess"', "conversation.wordless: 'guess' is no choice; choose from ask, fallback"),
        ('send_prefix = " "', "conversation.send_prefix: empty, so that every note would be sent"),
        ("patience = 3", "conversation.patience: unknown; keys here are ask_minutes, emoji, idle_hours"),
        ("emoji.like.web = '👍'", "conversation.emoji.like: unknown; keys here are done, no_request, request, send"),
        ("emoji.take.irc = '👍'", "conversation.emoji.take.irc: no such platform; there are slack, telegram, web"),
        ("emoji.take.web = 5", "conversation.emoji.take.web: must be text in quotes"),
        ("emoji.take = '👍'", "conversation.emoji.take: must be a table"),
        ("emoji.done.telegram = '✅'", "conversation.emoji.done.telegram: "),
        (
            "emoji.wrong.slack = 'eyes'\nemoji.done.slack = ':eyes:'",
            "emoji.wrong.slack: eyes already means done; write",
        ),
        (
            "emoji.send.web = '💰'",
            "tasks.routing.labels.billing.emoji.web: 💰 already means send; give the label another one, "
            "or write another one for conversation.emoji.send.web",
        ),
    ],
)
def test_a_mistake_about_the_conversation_says_what_to_change(tmp_path: Path, written: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(talking(tmp_path, written), {})
    assert expected in str(caught.value)


def test_a_usual_emoji_gives_way_to_a_team(tmp_path: Path) -> None:
    path = tmp_path / "switchboard.toml"
    path.write_text(GOOD.replace('web = "💰"', 'web = "✅"'), "utf-8")
    vocabulary = load(path, {}).vocabulary
    assert "web" not in vocabulary.done
    assert vocabulary.done["slack"] == "white_check_mark"
    assert vocabulary.take["web"] == "👀"


def test_a_usual_emoji_gives_way_to_what_the_settings_say_of_another_act(tmp_path: Path) -> None:
    vocabulary = load(talking(tmp_path, "emoji.take.web = '✅'"), {}).vocabulary
    assert vocabulary.take["web"] == "✅"
    assert "web" not in vocabulary.done


def test_two_teams_that_people_could_not_tell_apart_are_a_mistake(tmp_path: Path) -> None:
    said = mistakes(tmp_path, GOOD.replace('means = "The rest"', 'means = "The rest"\ntitle = "Billing"'))
    assert said == (
        "tasks.routing.labels.triage.title: people could not tell 'Billing' from billing; give it another title"
    )


@pytest.mark.parametrize("written", ["9 to 5", "Mon-Fri 17:00-09:00", "Mon-Fry 09:00-17:00", "Mon 09:00-25:00"])
def test_hours_that_are_none_name_their_team(tmp_path: Path, written: str) -> None:
    said = mistakes(tmp_path, GOOD.replace('means = "Invoices"', f'means = "Invoices"\nhours = "{written}"'))
    assert said.startswith(f"tasks.routing.labels.billing.hours: '{written}' ")


def test_a_wrong_time_zone_is_named_once_however_many_teams_have_hours(tmp_path: Path) -> None:
    timed = GOOD.replace('means = "Invoices"', 'means = "Invoices"\nhours = "Mon 09:00-10:00"')
    said = mistakes(tmp_path, timed.replace("[conversation]", '[conversation]\ntimezone = "Mars"'))
    assert said.splitlines() == ["conversation.timezone: 'Mars' is no time zone; write one like Europe/Lisbon"]
