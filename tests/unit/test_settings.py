"""The settings: read once, and all mistakes reported together."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import ConfigError
from bot.domain.guards import Guards
from bot.domain.messages import Place
from bot.init import of_names, settings_text
from bot.platforms import platform_modules
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


def talking(folder: Path, talk: str) -> Path:
    """The valid settings with more in their `[conversation]`."""
    return write(folder, GOOD.replace("[platforms.web]", f"{talk}\n[platforms.web]"))


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
    assert settings.timing.settle.total_seconds() == 2
    assert settings.timing.idle.total_seconds() == 24 * 3600
    assert (settings.timing.reopen, settings.timing.take) == (timedelta(hours=72), timedelta(minutes=30))
    assert settings.wordless == "ask"
    billing = settings.routing.label("billing")
    assert (billing.shown, billing.hours, billing.leads) == ("billing", None, {})


def test_teams_are_labels_with_an_address_and_the_rest_only_records(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {})
    assert settings.routing.name == "routing"
    assert settings.routing.label("billing").deliver_to["slack"] == Place("slack", "C0BILLING")
    assert not settings.task("sentiment").routes


def test_emoji_are_in_each_platforms_normal_form(tmp_path: Path) -> None:
    emoji = load(write(tmp_path, GOOD), {}).routing.label("billing").emoji
    assert emoji == {"web": "💰", "slack": "moneybag", "telegram": "❤"}


def test_guards_are_as_the_settings_say_and_else_as_usual(tmp_path: Path) -> None:
    learning = "[tasks.routing.learning]\ncorrections_per_hour = 5\nneighbour_guard = false\n"
    settings = load(write(tmp_path, GOOD + learning), {})
    assert settings.routing.learning.guards == Guards(per_hour=5, new_team=5, neighbours=False)
    assert settings.task("sentiment").learning.guards == Guards()
    wrong = mistakes(tmp_path, GOOD + '[tasks.routing.learning]\nneighbour_guard = "no"\n')
    assert wrong == "tasks.routing.learning.neighbour_guard: write true or false, without quotes"


def test_the_environment_overrides_the_database(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {"DATABASE_URL": "postgresql://db/switchboard"})
    assert settings.database.url == "postgresql://db/switchboard"


@pytest.mark.parametrize(
    "written", ['"postgresql://db/x"', "'postgresql://db/x'", " postgresql://db/x\n", "postgresql://db/x"]
)
def test_a_variable_may_come_with_quotes_and_a_line_end(tmp_path: Path, written: str) -> None:
    assert load(write(tmp_path, GOOD), {"DATABASE_URL": written}).database.url == "postgresql://db/x"


def test_a_wrong_url_is_named_by_where_it_stands_and_never_quoted(tmp_path: Path) -> None:
    said = mistakes(tmp_path, GOOD, {"DATABASE_URL": "mysql://bot:secret@db/x"})
    assert said == 'DATABASE_URL: write "embedded" or a postgresql://… URL'
    said = mistakes(tmp_path, GOOD + '[database]\nurl = "mysql://bot:secret@db/x"\n')
    assert said == 'database.url: write "embedded" or a postgresql://… URL'


def test_how_long_a_model_serves_that_had_learned_from_somebody_forgotten(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD), {}).unlearn_within == timedelta(days=30)
    assert load(write(tmp_path, GOOD + "[privacy]\nunlearn_days = 0\n"), {}).unlearn_within == timedelta(0)
    said = mistakes(tmp_path, GOOD + "[privacy]\nunlearn_days = -1\nforget = true\n")
    assert "privacy.unlearn_days: must be a number from 0" in said and "privacy.forget: unknown" in said


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


def test_what_a_new_model_is_held_to_and_whether_it_goes_back_by_itself(tmp_path: Path) -> None:
    usual = load(write(tmp_path, GOOD), {}).routing.learning
    assert (usual.out_of_scope, usual.automatic_rollback, usual.shadow) == ((), True, False)
    table = '[tasks.routing.learning]\nout_of_scope = ["friday?"]\nautomatic_rollback = false\nshadow = true\n'
    learning = load(write(tmp_path, GOOD + table), {}).routing.learning
    assert (learning.out_of_scope, learning.automatic_rollback, learning.shadow) == (
        ("friday?",),
        False,
        True,
    )
    said = mistakes(tmp_path, GOOD + table.replace("false", '"off"').replace('["friday?"]', "5"))
    assert "tasks.routing.learning.automatic_rollback: write true or false, without quotes" in said
    assert "tasks.routing.learning.out_of_scope: must be a list of texts" in said


def test_a_canary_serves_nobody_unless_a_share_is_set_and_never_more_than_half(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD), {}).routing.learning.canary == 0.0
    table = "[tasks.routing.learning]\ncanary = 0.1\n"
    assert load(write(tmp_path, GOOD + table), {}).routing.learning.canary == 0.1
    assert "tasks.routing.learning.canary" in mistakes(tmp_path, GOOD + table.replace("0.1", "0.6"))


def test_silent_signals_teach_nothing_unless_a_share_is_set(tmp_path: Path) -> None:
    assert load(write(tmp_path, GOOD), {}).routing.learning.silent_signals == 0.0
    table = "[tasks.routing.learning]\nsilent_signals = 0.1\n"
    assert load(write(tmp_path, GOOD + table), {}).routing.learning.silent_signals == 0.1
    assert "tasks.routing.learning.silent_signals" in mistakes(tmp_path, GOOD + table.replace("0.1", "1.5"))


def test_for_how_long_a_training_may_take_unasked_and_what_an_hour_costs(tmp_path: Path) -> None:
    usual = load(write(tmp_path, GOOD), {}).routing.learning
    assert (usual.ask_above_minutes, usual.price_per_hour) == (60.0, 0.0)
    table = "[tasks.routing.learning]\nask_above_minutes = 5\nprice_per_hour = 2.5\n"
    learning = load(write(tmp_path, GOOD + table), {}).routing.learning
    assert (learning.ask_above_minutes, learning.price_per_hour) == (5.0, 2.5)
    said = mistakes(tmp_path, GOOD + table.replace("2.5", '"free"'))
    assert "tasks.routing.learning.price_per_hour: must be a number from 0 to 1,000,000" in said


@pytest.mark.parametrize(
    ("written", "kept"), [("", "0 9 * * mon"), ('digest = "0 8 * * fri"', "0 8 * * fri"), ('digest = ""', "")]
)
def test_the_weekly_digest_comes_on_mondays_unless_the_settings_say_otherwise(
    tmp_path: Path, written: str, kept: str
) -> None:
    file = tmp_path / "s.toml"
    file.write_text(GOOD + f"\n[tasks.routing.learning]\n{written}\n", "utf-8")
    assert load(file, {}).routing.learning.digest == kept
    said = mistakes(tmp_path, GOOD + '\n[tasks.routing.learning]\ndigest = "mondays"\n')
    assert said.startswith("tasks.routing.learning.digest: 'mondays' is no cron expression")


@pytest.mark.parametrize(
    ("written", "kept"), [("", "0 6 * * mon"), ('comparison = "0 8 1 * *"', "0 8 1 * *"), ('comparison = ""', "")]
)
def test_the_weekly_comparison_comes_on_mondays_unless_the_settings_say_otherwise(
    tmp_path: Path, written: str, kept: str
) -> None:
    table = "\n[tasks.routing.learning]\n"
    assert load(write(tmp_path, f"{GOOD}{table}{written}\n"), {}).routing.learning.comparison == kept
    said = mistakes(tmp_path, f'{GOOD}{table}comparison = "weekly"\n')
    assert said.startswith("tasks.routing.learning.comparison: 'weekly' is no cron expression")


def test_when_to_ask_is_promised_as_a_share_unless_a_probability_is_set_by_hand(tmp_path: Path) -> None:
    usual = load(write(tmp_path, GOOD), {}).routing
    assert (usual.ask_below, usual.unasked_right, usual.promised("billing")) == (None, 0.95, 0.95)
    by_hand = load(write(tmp_path, GOOD.replace('fallback = "triage"', 'fallback = "triage"\nask_below = 0.6')), {})
    assert by_hand.routing.ask_below == 0.6
    header = "[tasks.routing.labels.billing]"
    own = load(write(tmp_path, GOOD.replace(header, f"{header}\nunasked_right = 0.99")), {}).routing
    assert (own.promised("billing"), own.promised("triage")) == (0.99, 0.95)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("settle_seconds = 2", 'settle_seconds = "two"'), "conversation.settle_seconds: must be a number"),
        (('["en", "es"]', '["en", "tlh"]'), "'tlh' is not spoken here; choose from en, es, pt-BR"),
        (
            ('fallback = "triage"', 'fallback = "triage"\nask_below = 60'),
            "tasks.routing.ask_below: must be a number from 0 to 1",
        ),
        (
            ('fallback = "triage"', 'fallback = "triage"\nunasked_right = 95'),
            "tasks.routing.unasked_right: must be a number from 0 to 1",
        ),
        (
            ('fallback = "triage"', 'fallback = "triage"\nask_below = 0.6\nunasked_right = 0.9'),
            "tasks.routing.ask_below: tasks.routing.unasked_right says already when to ask, as a share; keep one",
        ),
        (("[platforms.web]", "[platforms.slack]"), "SLACK_BOT_TOKEN is not set"),
        (('deliver_to = { web = "triage" }', 'deliver_to = { slack = "C0TRIAGE" }'), "none of slack is set up"),
        (('deliver_to = { web = "triage" }', 'deliver_to = { slack = "#triage" }'), "write the channel's ID"),
    ],
)
def test_a_mistake_says_what_to_change(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    assert expected in mistakes(tmp_path, GOOD.replace(*change))


@pytest.mark.parametrize(
    ("change", "only"),
    [
        (("[platforms.web]", "[platforms.weeb]"), "platforms.weeb: no such platform"),
        (('deliver_to = { web = "triage" }', "deliver_to = { web = 5 }"), "labels.triage.deliver_to.web: must be text"),
        (('question = "Which team?"', ""), "tasks.routing.question: missing"),
    ],
)
def test_a_mistake_draws_no_others_after_it(tmp_path: Path, change: tuple[str, str], only: str) -> None:
    [said] = mistakes(tmp_path, GOOD.replace(*change)).splitlines()
    assert only in said


@pytest.mark.parametrize("names", [("telegram",), ("slack",), ("slack", "telegram")])
def test_a_missing_token_is_all_that_is_said_of_first_settings(tmp_path: Path, names: tuple[str, ...]) -> None:
    first = settings_text(of_names(names, platform_modules()), http=False)
    said = mistakes(tmp_path, first).splitlines()
    assert len(said) <= 2 * len(names)
    assert [line for line in said if "TOKEN is not set" not in line] == []


def test_no_team_anywhere_is_a_mistake(tmp_path: Path) -> None:
    assert "exactly one task must send to teams" in mistakes(tmp_path, "[platforms.web]")


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="no such file; `switchboard init` writes one, --config or SWITCHBOARD_CONFIG names another"
    ):
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


def test_no_secret_is_in_what_settings_look_like(tmp_path: Path) -> None:
    secrets = {
        "DATABASE_URL": "postgresql://bot:p4ssword@db/bot",
        "SWITCHBOARD_PROBE_TOKEN": "pr0be-token",
        "SLACK_BOT_TOKEN": "xoxb-s3cret",
        "SLACK_APP_TOKEN": "xapp-s3cret",
        "TELEGRAM_BOT_TOKEN": "77:s3cret",
    }
    found = load(write(tmp_path, GOOD + "[platforms.slack]\n[platforms.telegram]\n"), secrets)
    assert (found.database.url, found.web.probe_token) == (secrets["DATABASE_URL"], secrets["SWITCHBOARD_PROBE_TOKEN"])
    assert with_listen(found, "127.0.0.1:9").web.probe_token == "pr0be-token"
    assert not [value for value in (*secrets.values(), "p4ssword", "s3cret") if value in repr(found)]


@pytest.mark.parametrize("name", ["", " ", "a ", "a\\nb", "a\\u0000b", "\\u202e", "x" * 201])
def test_a_label_has_a_name_that_can_be_seen_and_stored(tmp_path: Path, name: str) -> None:
    said = mistakes(tmp_path, f'{GOOD}[tasks.sentiment.labels."{name}"]\nmeans = "Anything"\n')
    assert "tasks.sentiment.labels: the name " in said and "must have 1 to 200 characters that can be seen" in said


@pytest.mark.parametrize("name", ["../x", "a/b", "a.b", ".", "-x"])
def test_a_question_has_a_name_that_can_be_a_folders(tmp_path: Path, name: str) -> None:
    block = '[tasks."{}"]\nquestion = "?"\n[tasks."{}".labels.a]\nmeans = "a"\n[tasks."{}".labels.b]\nmeans = "b"\n'
    assert f"tasks: the name {name!r} becomes a part of folders' names" in mistakes(
        tmp_path, GOOD + block.format(name, name, name)
    )
    several = '[tasks.solo]\nquestion = "?"\nchoose = "any"\n[tasks.solo.labels.a]\nmeans = "a"\n'
    assert f"tasks.solo.labels: the name {name!r} becomes a part of folders' names" in mistakes(
        tmp_path, f'{GOOD}{several}[tasks.solo.labels."{name}"]\nmeans = "b"\n'
    )


@pytest.mark.parametrize("key", ["title", "means", "examples"])
def test_what_no_database_can_hold_is_refused(tmp_path: Path, key: str) -> None:
    value = '["a\\u0000b"]' if key == "examples" else '"a\\u0000b"'
    means = "" if key == "means" else 'means = "Anything"\n'
    assert f"tasks.sentiment.labels.odd.{key}: has a control character (U+0000)" in mistakes(
        tmp_path, f"{GOOD}[tasks.sentiment.labels.odd]\n{means}{key} = {value}\n"
    )


def test_a_title_is_one_line(tmp_path: Path) -> None:
    for title in ("a\\nb", "x" * 201):
        assert "tasks.sentiment.labels.odd.title: must be one line of at most 200 characters" in mistakes(
            tmp_path, f'{GOOD}[tasks.sentiment.labels.odd]\nmeans = "a"\ntitle = "{title}"\n'
        )


@pytest.mark.parametrize("key", ["min_corrections", "corrections_per_hour", "new_team_corrections"])
def test_a_number_of_things_is_whole(tmp_path: Path, key: str) -> None:
    said = mistakes(tmp_path, f"{GOOD}[tasks.routing.learning]\n{key} = 0.5\n")
    assert f"tasks.routing.learning.{key}: must be a whole number from 0 to 1,000,000" in said
    three = GOOD + "[tasks.routing.learning]\nmin_corrections = 3.0\n"
    assert load(write(tmp_path, three), {}).routing.learning.min_corrections == 3
