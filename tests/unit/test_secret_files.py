"""Secrets from files: read where they are named, and never shown."""

from pathlib import Path

import pytest

from bot.domain.errors import ConfigError
from bot.secret_files import SecretFiles
from bot.settings import load

SECRET = "xoxb-123-not-to-be-seen"
SETTINGS = """
[platforms.slack]
leads = ["U0LEAD1"]
[tasks.routing]
question = "Which team?"
fallback = "triage"
[tasks.routing.labels.billing]
means = "Invoices"
deliver_to = { slack = "C0BILLING" }
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { slack = "C0TRIAGE" }
"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "slack_bot_token"
    file.write_text(f"{SECRET}\n", "utf-8")
    return file


def test_a_variable_that_is_set_is_its_value() -> None:
    environment = SecretFiles({"SLACK_BOT_TOKEN": SECRET})
    assert environment["SLACK_BOT_TOKEN"] == SECRET
    assert (dict(environment), len(environment)) == ({"SLACK_BOT_TOKEN": SECRET}, 1)


def test_a_file_is_named_beside_it(secret: Path) -> None:
    assert SecretFiles({"SLACK_BOT_TOKEN_FILE": str(secret)}).get("SLACK_BOT_TOKEN") == SECRET
    assert SecretFiles({"SLACK_BOT_TOKEN": "", "SLACK_BOT_TOKEN_FILE": str(secret)})["SLACK_BOT_TOKEN"] == SECRET


@pytest.mark.parametrize("name", ["SLACK_BOT_TOKEN", "slack_bot_token"])
def test_a_credential_of_systemd_has_the_variables_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(SECRET, "utf-8")
    assert SecretFiles({"CREDENTIALS_DIRECTORY": str(tmp_path)})["SLACK_BOT_TOKEN"] == SECRET


def test_what_is_nowhere_is_nowhere(tmp_path: Path) -> None:
    for environment in ({}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}):
        assert SecretFiles(environment).get("SLACK_BOT_TOKEN") is None


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read (No such file or directory)"), (b"\n", "is empty"), (b"\xff\xfe", "is no text")],
)
def test_a_file_that_is_no_secret_is_named(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        SecretFiles({"SLACK_BOT_TOKEN_FILE": str(file)})["SLACK_BOT_TOKEN"]
    assert str(caught.value) == f"SLACK_BOT_TOKEN_FILE: {file} {why}"


def test_a_large_file_is_no_secret_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET * 1_000, "utf-8")
    with pytest.raises(ConfigError, match="larger than a secret") as caught:
        SecretFiles({"SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")})["SLACK_BOT_TOKEN"]
    assert SECRET not in str(caught.value)


def test_both_are_one_too_many(secret: Path) -> None:
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set") as caught:
        SecretFiles({"SLACK_BOT_TOKEN": SECRET, "SLACK_BOT_TOKEN_FILE": str(secret)})["SLACK_BOT_TOKEN"]
    assert SECRET not in str(caught.value)


def test_the_settings_take_every_secret_so(tmp_path: Path, secret: Path) -> None:
    path = tmp_path / "switchboard.toml"
    path.write_text(SETTINGS, "utf-8")
    (tmp_path / "app").write_text("xapp-1-not-to-be-seen", "utf-8")
    (tmp_path / "url").write_text("postgresql://bot@db/switchboard\n", "utf-8")
    files = {
        "SLACK_BOT_TOKEN_FILE": secret,
        "SLACK_APP_TOKEN_FILE": tmp_path / "app",
        "DATABASE_URL_FILE": tmp_path / "url",
    }
    settings = load(path, {name: str(file) for name, file in files.items()})
    assert settings.database.url == "postgresql://bot@db/switchboard"
    assert "slack" in settings.platforms


def test_the_settings_name_each_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "switchboard.toml"
    path.write_text(SETTINGS, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, {"SLACK_BOT_TOKEN_FILE": "/nowhere/token", "DATABASE_URL_FILE": "/nowhere/url"})
    assert "SLACK_BOT_TOKEN_FILE: /nowhere/token cannot be read" in str(caught.value)
    assert "DATABASE_URL_FILE: /nowhere/url cannot be read" in str(caught.value)


EVERYTHING = (
    SETTINGS.replace("[platforms.slack]", "[platforms.slack]\nmode = 'http'\nintake = ['no channel']")
    + """
[api.tokens.helpdesk]
environment = "HELPDESK_TOKEN"
scopes = ["route"]
[webhooks.crm]
url = "https://crm.example.com"
events = ["decided"]
environment = "CRM_SECRET"
[web]
listen = "nowhere"
"""
)


def test_every_file_that_cannot_be_read_is_told_together_with_whatever_else_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "switchboard.toml"
    file.write_text(EVERYTHING, "utf-8")
    named = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "HELPDESK_TOKEN", "CRM_SECRET", "DATABASE_URL")
    gone = {f"{name}_FILE": str(tmp_path / name.lower()) for name in named}
    with pytest.raises(ConfigError) as raised:
        load(file, gone)
    told = raised.value.mistakes
    for name in named:
        assert len([one for one in told if name in one]) == 1, "once each"
        assert f"{name}_FILE: {tmp_path / name.lower()} cannot be read (No such file or directory)" in told
    assert any("platforms.slack.intake" in one for one in told)
    assert any("web.listen" in one for one in told)


def test_a_workspaces_broken_file_hides_no_mistake_of_another(tmp_path: Path) -> None:
    main, acme = tmp_path / "switchboard.toml", tmp_path / "acme.toml"
    main.write_text(f'{SETTINGS}\n[workspaces]\nacme = "acme.toml"\n', "utf-8")
    acme.write_text(SETTINGS.replace("Which team?", ""), "utf-8")
    tokens = {"SLACK_APP_TOKEN": "xapp-1", "SLACK_BOT_TOKEN_ACME": "xoxb-1", "SLACK_APP_TOKEN_ACME": "xapp-2"}
    with pytest.raises(ConfigError) as raised:
        load(main, {**tokens, "SLACK_BOT_TOKEN_FILE": str(tmp_path / "gone")})
    assert any(one.startswith("SLACK_BOT_TOKEN_FILE: ") for one in raised.value.mistakes)
    assert any("workspace acme" in one and "question" in one for one in raised.value.mistakes)
