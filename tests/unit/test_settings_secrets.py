"""Secrets that are missing: a command needs those that it uses, and no others."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.errors import ConfigError
from bot.settings import load
from tests.unit.test_settings_workspaces import APP, MAIN, SECRETS, _on_slack, write

SETTINGS = """
[platforms.slack]
[platforms.telegram]
[model]
server = "http://127.0.0.1:1"
server_adapters = "fetch"
[tasks.routing]
question = "Which team?"
[tasks.routing.labels.billing]
means = "Invoices"
deliver_to = { slack = "C0BILLING" }
[tasks.routing.labels.triage]
means = "The rest"
deliver_to = { slack = "C0TRIAGE" }
[api.tokens.crm]
environment = "CRM_TOKEN"
scopes = ["read"]
[api.tokens.shop]
environment = "SHOP_TOKEN"
scopes = ["read"]
[webhooks.desk]
url = "https://desk.example.com"
events = ["decided"]
environment = "DESK_SECRET"
[[rules]]
name = "refunds"
words = ["refund"]
team = "billing"
"""
EVERY_SECRET = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "TELEGRAM_BOT_TOKEN",
    "SWITCHBOARD_ADAPTER_TOKEN",
    "CRM_TOKEN",
    "SHOP_TOKEN",
    "DESK_SECRET",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings for which no secret is set, in which commands are run."""
    (tmp_path / "switchboard.toml").write_text(SETTINGS, "utf-8")
    monkeypatch.chdir(tmp_path)
    for name in (*EVERY_SECRET, "SWITCHBOARD_CONFIG", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _named(output: str) -> set[str]:
    return {name for name in EVERY_SECRET if name in output}


def test_rules_are_tried_without_any_secret(home: Path) -> None:
    done = CliRunner().invoke(cli, ["rules", "test", "a refund, please"])
    assert done.exit_code == 0, done.output
    assert "refunds" in done.output


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        (["run"], set(EVERY_SECRET)),
        (["check"], set(EVERY_SECRET)),
        (["check", "slack"], {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"}),
        (["webhooks", "test", "desk"], {"DESK_SECRET"}),
    ],
)
def test_a_command_names_the_secrets_that_it_lacks_and_no_others(
    home: Path, command: list[str], needed: set[str]
) -> None:
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 2
    assert _named(done.output) == needed


def test_a_database_or_model_secret_that_cannot_be_read_is_told_by_what_opens_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", str(home / "gone"))
    assert CliRunner().invoke(cli, ["rules", "test", "a refund, please"]).exit_code == 0
    done = CliRunner().invoke(cli, ["failed", "list"])
    assert (done.exit_code, "DATABASE_URL_FILE" in done.output, _named(done.output)) == (2, True, set())


def test_a_wrong_key_is_told_to_every_command_and_the_secrets_only_to_those_that_need_them(home: Path) -> None:
    (home / "switchboard.toml").write_text(SETTINGS.replace("[platforms.slack]", "[platforms.slack]\nmodus = 1"))
    for command, needed in ((["rules", "test", "a refund"], set()), (["run"], set(EVERY_SECRET))):
        done = CliRunner().invoke(cli, command)
        assert (done.exit_code, "platforms.slack.modus: unknown" in done.output) == (2, True)
        assert _named(done.output) == needed


def test_a_workspace_is_not_asked_for_the_secrets_of_others(tmp_path: Path) -> None:
    found = load(write(tmp_path), {}, demanding=False)
    [acme] = found.workspaces
    found.demand("platforms.telegram", "database")
    with pytest.raises(ConfigError, match="TELEGRAM_BOT_TOKEN_ACME") as told:
        acme.demand_all()
    assert "workspace acme (acme.toml): platforms.telegram" in str(told.value)
    with pytest.raises(ConfigError, match="TELEGRAM_BOT_TOKEN_ACME"):
        found.demand_all()


def test_a_workspace_needs_the_secrets_of_an_app_that_it_shares(tmp_path: Path) -> None:
    found = load(write(tmp_path, *_on_slack()), SECRETS, demanding=False)
    [acme] = found.workspaces
    with pytest.raises(ConfigError) as told:
        acme.demand("platforms.slack")
    assert all(name in str(told.value) for name in APP)
    load(write(tmp_path, *_on_slack()), SECRETS | APP, demanding=False).demand_all()


def test_secrets_are_demanded_unless_the_caller_says_otherwise(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TELEGRAM_BOT_TOKEN_ACME"):
        load(write(tmp_path, MAIN), {})
