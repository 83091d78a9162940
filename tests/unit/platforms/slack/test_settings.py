"""The settings of [platforms.slack] and the secrets that belong to them."""

import pytest
from cryptography.fernet import Fernet

from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.platforms import platform_modules
from bot.platforms.slack import PLATFORM, Config, Mode

SECRETS = {"SLACK_BOT_TOKEN": "xoxb-secret", "SLACK_APP_TOKEN": "xapp-secret", "SLACK_SIGNING_SECRET": "sign-secret"}


def mistakes(table: dict[str, object], environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        PLATFORM.parse(table, SECRETS if environment is None else environment)
    return caught.value.mistakes


def test_slack_is_found_by_its_folder() -> None:
    assert "slack" in platform_modules()


def test_an_empty_table_is_socket_mode_at_slacks_own_address() -> None:
    config = PLATFORM.parse({}, SECRETS)
    assert (config.mode, config.api_base_url) == (Mode.SOCKET, "https://slack.com/api/")
    assert (config.bot_token, config.app_token, config.signing_secret) == ("xoxb-secret", "xapp-secret", "")


def test_http_needs_the_signing_secret_and_no_app_token() -> None:
    config = PLATFORM.parse({"mode": "http"}, {"SLACK_BOT_TOKEN": "xoxb-secret", "SLACK_SIGNING_SECRET": "sign-secret"})
    assert (config.mode, config.app_token, config.signing_secret) == (Mode.HTTP, "", "sign-secret")


def test_people_and_groups_are_told_apart() -> None:
    config = PLATFORM.parse({"intake": ["C0HELP"], "leads": ["U0LEAD1", "W0LEAD2", "S0LEADS"]}, SECRETS)
    assert config.leads == {"U0LEAD1", "W0LEAD2"}
    assert config.lead_groups == {"S0LEADS"}
    assert config.intake == {"C0HELP"}


def test_the_environment_overrides_the_address_and_a_missing_slash_is_added() -> None:
    environment = SECRETS | {"SLACK_API_BASE_URL": "http://127.0.0.1:3100/api"}
    config = PLATFORM.parse({"api_base_url": "https://slack.com/api/"}, environment)
    assert config.api_base_url == "http://127.0.0.1:3100/api/"
    assert PLATFORM.parse({}, SECRETS | {"SLACK_API_BASE_URL": ""}).api_base_url == "https://slack.com/api/"


def test_every_mistake_is_named_at_once() -> None:
    found = mistakes(
        {
            "mode": "pigeon",
            "api_base_url": "slack.com",
            "intake": "C0HELP",
            "leads": ["U0LEAD", "@ann", 7],
            "intakes": [],
        },
        {},
    )
    assert [mistake.split(":")[0] for mistake in found] == [
        "platforms.slack.intakes",
        "platforms.slack.mode",
        "platforms.slack.api_base_url (or SLACK_API_BASE_URL)",
        "platforms.slack.intake",
        "platforms.slack.leads",
        "platforms.slack.leads",
        "platforms.slack",
    ]
    assert "SLACK_BOT_TOKEN" in found[-1]


@pytest.mark.parametrize(
    ("mode", "missing"),
    [("socket", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]), ("http", ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"])],
)
def test_each_missing_secret_is_named(mode: str, missing: list[str]) -> None:
    found = mistakes({"mode": mode}, {"SLACK_BOT_TOKEN": "  "})
    assert [variable for variable in SECRETS if any(variable in mistake for mistake in found)] == missing


def test_swapped_tokens_are_noticed_and_not_shown() -> None:
    found = mistakes({}, {"SLACK_BOT_TOKEN": "xapp-secret", "SLACK_APP_TOKEN": "xoxb-secret"})
    assert len(found) == 2
    assert "secret" not in "".join(found)


def test_secrets_never_show() -> None:
    assert "secret" not in repr(PLATFORM.parse({}, SECRETS)) + str(Config("xoxb-secret", signing_secret="sign-secret"))


def test_a_channel_is_an_id() -> None:
    assert PLATFORM.place("C0BILLING") == Place("slack", "C0BILLING")
    for wrong in ("#billing", "billing", "U0ANN", "", "c0billing"):
        with pytest.raises(ValueError, match="C0123ABCD"):
            PLATFORM.place(wrong)


def test_emoji_in_settings_are_normalised_like_those_in_events() -> None:
    assert PLATFORM.emoji(":thumbsup:") == PLATFORM.emoji("+1") == "+1"


def test_a_lead_is_a_person_or_a_group() -> None:
    assert (PLATFORM.lead("U0LEAD"), PLATFORM.lead("S0LEADS")) == ("U0LEAD", "S0LEADS")
    for wrong in ("@ann", 7, "C0HELP", ""):
        with pytest.raises(ValueError, match="U…"):
            PLATFORM.lead(wrong)


BY_BROWSER = {
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "client-secret",
    "SLACK_SIGNING_SECRET": "sign-secret",
    "SLACK_TOKEN_KEYS": f"{Fernet.generate_key().decode()}, {Fernet.generate_key().decode()}",
}


def test_installed_by_a_browser_it_needs_the_apps_secrets_and_no_token() -> None:
    config = PLATFORM.parse({"mode": "http", "install": "oauth", "team": "T0TEAM"}, BY_BROWSER)
    assert config.oauth is not None and config.bot_token == ""
    assert (config.oauth.client_id, config.oauth.team, len(config.oauth.keys)) == ("1.2", "T0TEAM", 2)
    assert "client-secret" not in repr(config) and config.oauth.keys[0] not in repr(config)


@pytest.mark.parametrize(
    ("table", "changes", "mistake"),
    [
        ({"install": "magic"}, SECRETS, '\'magic\' is no way to install; write "token" or "oauth"'),
        ({"install": "oauth", "mode": "socket"}, BY_BROWSER | SECRETS, '"oauth" needs mode = "http"'),
        ({"install": "oauth", "team": "acme"}, BY_BROWSER, "write the workspace's ID, like T0123ABCD"),
        ({"team": "T0TEAM"}, SECRETS, 'platforms.slack.team: is for install = "oauth"'),
        ({"install": "oauth"}, BY_BROWSER | {"SLACK_TOKEN_KEYS": "short"}, "SLACK_TOKEN_KEYS holds what is no key"),
        ({"install": "oauth"}, BY_BROWSER | {"SLACK_TOKEN_KEYS": ","}, "SLACK_TOKEN_KEYS holds what is no key"),
        ({"install": "oauth"}, BY_BROWSER | {"SLACK_TOKEN_KEYS": ""}, "make one with python -c"),
        ({"install": "oauth"}, BY_BROWSER | {"SLACK_CLIENT_SECRET": ""}, "SLACK_CLIENT_SECRET is not set"),
    ],
)
def test_what_is_wrong_with_an_installation_by_a_browser_is_said(
    table: dict[str, object], changes: dict[str, str], mistake: str
) -> None:
    [said] = mistakes({"mode": "http"} | table, changes)
    assert mistake in said
