"""Further workspaces: a file each, their own variables, and never one bot or one database for two."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import ConfigError
from bot.platforms.slack import Config as SlackConfig
from bot.platforms.telegram import Config
from bot.settings import load
from tests.unit.test_settings import GOOD

ACME = """
[conversation]
languages = ["pt-BR"]
[platforms.telegram]
leads = [7]
[tasks.routing]
question = "Qual equipe?"
ask_below = 0.7
[tasks.routing.labels.vendas]
means = "Vendas"
deliver_to = { telegram = "-1001" }
[tasks.routing.labels.suporte]
means = "Suporte"
deliver_to = { telegram = "-1002" }
"""
MAIN = GOOD + '[workspaces]\nacme = "acme.toml"\n'
SECRETS = {"TELEGRAM_BOT_TOKEN_ACME": "2:acme"}


def write(folder: Path, main: str = MAIN, acme: str = ACME, beta: str | None = None) -> Path:
    for name, text in (("switchboard.toml", main), ("acme.toml", acme), ("beta.toml", beta)):
        if text is not None:
            folder.joinpath(name).write_text(text, "utf-8")
    return folder / "switchboard.toml"


def mistakes(path: Path, environment: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, environment)
    return "\n".join(caught.value.mistakes)


def test_each_has_its_own_and_all_share_the_model_server(tmp_path: Path) -> None:
    settings = load(write(tmp_path), SECRETS)
    [acme] = settings.workspaces
    assert (settings.workspace, acme.workspace) == ("", "acme")
    assert (settings.languages, acme.languages) == (("en", "es"), ("pt-BR",))
    assert (settings.routing.names, acme.routing.names) == (("billing", "triage"), ("vendas", "suporte"))
    assert acme.routing.ask_below == 0.7
    config = acme.platforms["telegram"]
    assert isinstance(config, Config)
    assert (config.bot_token, config.leads) == ("2:acme", frozenset({"7"}))
    assert (acme.database.workspace, acme.database.directory) == ("acme", settings.database.directory)
    assert acme.model.runs == tmp_path / "var" / "workspaces" / "acme" / "runs"
    assert acme.model.server_folder == tmp_path / "var"
    assert acme.web == settings.web


def test_without_workspaces_nothing_is_other_than_before(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD), {})
    assert (settings.workspace, settings.workspaces, settings.database.workspace) == ("", (), "")
    assert (settings.model.runs, settings.model.server_folder) == (tmp_path / "var" / "runs", None)


def test_no_workspace_has_a_variable_of_another(tmp_path: Path) -> None:
    """A token without a workspace's name belongs to the unnamed workspace."""
    told = mistakes(write(tmp_path), {"TELEGRAM_BOT_TOKEN": "1:main"})
    assert told.startswith("workspace acme (acme.toml): platforms.telegram: TELEGRAM_BOT_TOKEN_ACME is not set")


def test_a_secret_may_be_a_file(tmp_path: Path) -> None:
    tmp_path.joinpath("token").write_text("2:acme\n", "utf-8")
    [acme] = load(write(tmp_path), {"TELEGRAM_BOT_TOKEN_ACME_FILE": str(tmp_path / "token")}).workspaces
    assert isinstance(config := acme.platforms["telegram"], Config)
    assert config.bot_token == "2:acme"


def test_where_a_platform_is_may_be_said_once_for_all(tmp_path: Path) -> None:
    [acme] = load(write(tmp_path), SECRETS | {"TELEGRAM_API_BASE_URL": "http://127.0.0.1:1/bot"}).workspaces
    assert isinstance(config := acme.platforms["telegram"], Config)
    assert config.api_base_url == "http://127.0.0.1:1/bot"


@pytest.mark.parametrize("variable", ["TELEGRAM_BOT_TOKEN", "DATABASE_URL"])
def test_one_bot_or_one_database_is_never_two_workspaces(tmp_path: Path, variable: str) -> None:
    value = {"TELEGRAM_BOT_TOKEN": "2:acme", "DATABASE_URL": "postgresql://one@host/name"}[variable]
    twice = {f"{variable}_ACME": value, f"{variable}_BETA": value}
    secrets = {"TELEGRAM_BOT_TOKEN_ACME": "2:acme", "TELEGRAM_BOT_TOKEN_BETA": "3:beta"} | twice
    told = mistakes(write(tmp_path, f'{MAIN}beta = "beta.toml"\n', beta=ACME), secrets)
    assert f"{variable}_BETA: the same as {variable}_ACME" in told
    assert value not in told
    told = mistakes(write(tmp_path), SECRETS | {variable: value, f"{variable}_ACME": value})
    assert f"{variable}_ACME: the same as {variable};" in told


def test_the_address_of_a_webhook_has_the_workspace_in_it(tmp_path: Path) -> None:
    hook = 'mode = "webhook"\nwebhook_url = "https://bot.example.com"\nleads'
    secrets = SECRETS | {"TELEGRAM_WEBHOOK_SECRET_ACME": "mine"}
    [acme] = load(write(tmp_path, acme=ACME.replace("leads", hook)), secrets).workspaces
    assert isinstance(config := acme.platforms["telegram"], Config)
    assert config.webhook_url == "https://bot.example.com/workspaces/acme/telegram/webhook"


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('"Acme Ltd" = "acme.toml"', "workspaces.Acme Ltd: a workspace is called by up to 30 letters"),
        ("acme = 1", "workspaces.acme: write the name of its settings file in quotes"),
        ('acme = "nowhere.toml"', "no such file"),
        ('acme = "acme.toml"\nbeta = "acme.toml"', "workspaces.beta: acme.toml is the file of acme"),
    ],
)
def test_a_workspace_that_cannot_be_is_said(tmp_path: Path, table: str, told: str) -> None:
    assert told in mistakes(write(tmp_path, f"{GOOD}[workspaces]\n{table}\n"), SECRETS)


def test_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    main = MAIN.replace("settle_seconds = 2", "settle_seconds = -2")
    told = mistakes(
        write(tmp_path, main, ACME.replace("leads = [7]", 'leads = ["x"]') + '[web]\nlisten = "h:1"'), SECRETS
    )
    assert "conversation.settle_seconds" in told
    assert "workspace acme (acme.toml): platforms.telegram.leads" in told
    assert "workspace acme (acme.toml): web: belongs to all workspaces" in told


def test_a_workspace_is_chosen_by_its_name(tmp_path: Path) -> None:
    settings = load(write(tmp_path), SECRETS)
    assert settings.of_workspace("acme").workspace == "acme"
    assert settings.of_workspace(None) is settings
    with pytest.raises(ConfigError, match=r"no workspace called 'beta'; named in .* are: acme"):
        settings.of_workspace("beta")


def test_a_model_server_that_sees_other_folders_serves_no_workspaces(tmp_path: Path) -> None:
    model = '[model]\nserver = "http://127.0.0.1:8000"\nserver_adapters = "/seen"\n'
    assert "leave model.server_adapters out" in mistakes(write(tmp_path, model + MAIN), SECRETS)


SLACK_APP = """
[platforms.slack]
mode = "http"
install = "oauth"
team = "T0MAIN"
[tasks.routing]"""
SHARING = """
[platforms.slack]
mode = "http"
install = "oauth"
team = "T0ACME"
shares_app = true
[tasks.routing]"""
APP = {
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "client-secret",
    "SLACK_SIGNING_SECRET": "signing-secret",
    "SLACK_TOKEN_KEYS": "FWn9NyRPRFJNJWYKtdNPwNkuwyrq1bcpnmBB1iQhx4E=",
}


def _on_slack(main: str = SLACK_APP, acme: str = SHARING) -> tuple[str, str]:
    places = 'slack = "C0SALES"', 'slack = "C0CARE"'
    ours, theirs = MAIN.replace("[tasks.routing]", main, 1), ACME.replace("[tasks.routing]", acme, 1)
    for number, place in zip(("-1001", "-1002"), places, strict=True):
        theirs = theirs.replace(f'telegram = "{number}"', f'telegram = "{number}", {place}')
    return ours.replace('deliver_to = { telegram = "-100"', 'deliver_to = { slack = "C0IT", telegram = "-100"'), theirs


def test_one_slack_app_may_be_shared_with_its_secrets_and_a_workspace_of_slack_for_each(tmp_path: Path) -> None:
    told = load(write(tmp_path, *_on_slack()), SECRETS | APP)
    [acme] = told.workspaces
    ours, theirs = told.platforms["slack"], acme.platforms["slack"]
    assert isinstance(ours, SlackConfig) and ours.oauth and isinstance(theirs, SlackConfig) and theirs.oauth
    assert (ours.oauth.shared, theirs.oauth.shared) == (False, True)
    assert (ours.oauth.team, theirs.oauth.team) == ("T0MAIN", "T0ACME")
    assert theirs.signing_secret == "signing-secret"
    assert theirs.oauth == replace(ours.oauth, team="T0ACME", shared=True)


@pytest.mark.parametrize(
    ("main", "acme", "told"),
    [
        (
            "[tasks.routing]",
            SHARING,
            'workspace acme: the file that names the workspaces has no app with install = "oauth"',
        ),
        (
            SLACK_APP,
            SHARING.replace("T0ACME", "T0MAIN"),
            "workspace acme: platforms.slack.team: T0MAIN belongs to the file",
        ),
        (SLACK_APP, SHARING.replace('team = "T0ACME"\n', ""), "platforms.slack.team: missing"),
        (SLACK_APP, SHARING.replace("true", '"yes"'), "platforms.slack.shares_app: write true or false"),
        (SLACK_APP, SHARING.replace('install = "oauth"\nteam = "T0ACME"\n', ""), 'shares_app: needs install = "oauth"'),
        (SHARING, SHARING, "platforms.slack.shares_app: belongs in the settings file of a workspace that another"),
    ],
)
def test_an_app_that_cannot_be_shared_is_refused(tmp_path: Path, main: str, acme: str, told: str) -> None:
    assert told in mistakes(write(tmp_path, *_on_slack(main, acme)), SECRETS | APP)


def test_an_app_is_not_shared_by_a_file_that_names_no_workspaces(tmp_path: Path) -> None:
    alone = GOOD.replace("[tasks.routing]", SHARING, 1)
    assert "shares_app: belongs in the settings file of a workspace" in mistakes(write(tmp_path, alone), APP)
