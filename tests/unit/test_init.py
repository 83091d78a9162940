"""The files that a new user gets work unchanged, and say what is left to do."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from bot.init import begin, next_steps, of_names, settings_text
from bot.platforms import PlatformModule, platform_modules
from bot.settings import load

CHOICES = [("slack",), ("telegram",), ("web",), ("slack", "telegram"), ("slack", "telegram", "web")]
SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_SIGNING_SECRET": "s",
    "TELEGRAM_BOT_TOKEN": "123456:ABC",
    "TELEGRAM_WEBHOOK_SECRET": "secret",
}


MODULES = platform_modules()


def chosen_ones(*names: str) -> Mapping[str, PlatformModule]:
    return of_names(names, MODULES)


@pytest.mark.parametrize("http", [False, True])
@pytest.mark.parametrize("chosen", CHOICES)
def test_the_settings_load_as_they_are_written(tmp_path: Path, chosen: tuple[str, ...], http: bool) -> None:
    file = tmp_path / "switchboard.toml"
    file.write_text(settings_text(chosen_ones(*chosen), http), "utf-8")
    settings = load(file, SECRETS)
    assert set(settings.platforms) == set(chosen)
    assert settings.routing.fallback == "triage"
    for team in settings.routing.labels:
        assert set(team.emoji) == set(team.deliver_to) == set(chosen)
        assert team.examples and team.title
    billing = settings.routing.label("billing")
    assert billing.hours is not None


@pytest.mark.parametrize("chosen", CHOICES)
def test_what_is_commented_out_can_be_uncommented(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    text = re.sub(r"^#(?! )", "", settings_text(chosen_ones(*chosen), http=False), flags=re.MULTILINE)
    file = tmp_path / "switchboard.toml"
    file.write_text(text, "utf-8")
    settings = load(file, {**SECRETS, "SWITCHBOARD_HELPDESK_SECRET": "0123456789abcdef" * 4})
    assert set(settings.routing.label("billing").leads) == set(chosen)
    assert settings.task("sentiment").names == ("upset", "calm")
    assert [webhook.name for webhook in settings.webhooks] == ["helpdesk"]


@pytest.mark.parametrize("chosen", ["slack", "telegram", "web"])
def test_nothing_is_said_of_a_platform_that_was_not_chosen(chosen: str) -> None:
    text = settings_text(chosen_ones(chosen), http=False).lower()
    assert [name for name in ("slack", "telegram") if name in text] == [
        name for name in ("slack", "telegram") if name == chosen
    ]


def test_every_setting_that_there_is_is_explained() -> None:
    lines = settings_text(MODULES, http=False).splitlines()
    for key in "settle_seconds idle_hours ask_minutes reopen_hours take_minutes timezone wordless send_prefix".split():
        above = next(lines[n - 1] for n, line in enumerate(lines) if line.startswith(f"{key} = "))
        assert above.startswith("# "), key
    for key in (
        "title",
        "means",
        "examples",
        "emoji",
        "deliver_to",
        "hours",
        "#leads",
        "take",
        "done",
        "wrong",
        "send",
    ):
        assert any(line.startswith(f"{key} = ") for line in lines), key


def test_whoever_deletes_what_is_said_of_the_conversation_changes_only_the_languages(tmp_path: Path) -> None:
    text = settings_text(MODULES, http=False)
    whole, bare = tmp_path / "whole.toml", tmp_path / "bare.toml"
    whole.write_text(text, "utf-8")
    bare.write_text(re.sub(r"^\[conversation\].*?^(?=\[platforms)", "", text, flags=re.MULTILINE | re.DOTALL), "utf-8")
    written, usual = load(whole, SECRETS), load(bare, SECRETS)
    assert usual == replace(written, path=bare, languages=("en",))


def test_files_are_written_beside_each_other(tmp_path: Path) -> None:
    settings = tmp_path / "conf" / "switchboard.toml"
    written = begin(settings, chosen_ones("slack"), http=False, force=False)
    assert written == [settings, tmp_path / "conf" / "slack-manifest.yaml"]
    assert "socket_mode_enabled: true" in written[1].read_text("utf-8")


def test_what_is_called_from_outside_names_an_address_that_is_to_be_replaced(tmp_path: Path) -> None:
    settings, manifest = begin(tmp_path / "switchboard.toml", chosen_ones("slack"), http=True, force=False)
    assert "https://bot.example.com" in manifest.read_text("utf-8")
    assert any(
        "https://bot.example.com" in step for step in next_steps(settings, [manifest], chosen_ones("slack"), http=True)
    )


def test_nothing_is_overwritten_unless_forced(tmp_path: Path) -> None:
    settings, manifest = tmp_path / "switchboard.toml", tmp_path / "slack-manifest.yaml"
    manifest.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match=r"slack-manifest\.yaml: here already, nothing was written; --force"):
        begin(settings, chosen_ones("slack"), http=False, force=False)
    assert (manifest.read_text("utf-8"), settings.exists()) == ("mine", False)
    begin(settings, chosen_ones("slack"), http=False, force=True)
    assert manifest.read_text("utf-8") != "mine"


def test_an_unknown_platform_is_named_with_the_choices() -> None:
    with pytest.raises(UsageError, match="no such platform: irc; there are slack, telegram, web"):
        chosen_ones("irc", "web")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        begin(tmp_path / "file" / "switchboard.toml", {}, http=False, force=False)


@pytest.mark.parametrize(
    ("chosen", "http", "variables"),
    [
        (("slack",), False, {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"}),
        (("slack",), True, {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"}),
        (("telegram",), False, {"TELEGRAM_BOT_TOKEN"}),
        (("telegram",), True, {"TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"}),
        (("web",), False, set()),
    ],
)
def test_the_next_steps_name_every_secret_that_is_needed(
    tmp_path: Path, chosen: tuple[str, ...], http: bool, variables: set[str]
) -> None:
    settings = tmp_path / "switchboard.toml"
    settings.write_text(settings_text(chosen_ones(*chosen), http), "utf-8")
    steps = next_steps(settings, [settings], chosen_ones(*chosen), http)
    assert set(re.findall(r"[A-Z]+_[A-Z_]+", " ".join(steps))) == variables
    assert load(settings, {name: SECRETS[name] for name in variables}).platforms
    assert [step for step in steps if "switchboard check" in step] and steps[-1] == "Start it: switchboard run"


def test_the_next_steps_name_the_manifest_that_was_written() -> None:
    steps = next_steps(
        Path("switchboard.toml"), [Path("switchboard.toml"), Path("slack-manifest.yaml")], chosen_ones("slack"), False
    )
    assert "paste slack-manifest.yaml" in steps[0]
