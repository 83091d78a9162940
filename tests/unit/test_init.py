"""What a newcomer is given works as it stands, and says what is left to do."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import UsageError
from bot.domain.messages import Place
from bot.domain.ports import Platform
from bot.init import begin, next_steps, settings_text
from bot.platforms import Finding, PlatformContext, PlatformModule, platform_modules
from bot.settings import load

PLATFORMS = {"slack", "telegram", "web"}
CHOICES = [("slack",), ("telegram",), ("web",), ("slack", "telegram"), ("slack", "telegram", "web")]
SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_SIGNING_SECRET": "s",
    "TELEGRAM_BOT_TOKEN": "123456:ABC",
    "TELEGRAM_WEBHOOK_SECRET": "secret",
}


class Installable(PlatformModule):
    """A platform that wants one file."""

    def install(self, address: str = "") -> Mapping[str, str]:
        return {"slack-manifest.yaml": f"name: Switchboard {address}\n"}

    def parse(self, table: Mapping[str, object], environment: Mapping[str, str]) -> object:
        raise AssertionError

    def emoji(self, written: str) -> str:
        raise AssertionError

    def place(self, written: str) -> Place:
        raise AssertionError

    def lead(self, written: object) -> str:
        raise AssertionError

    def connect(self, config: object, around: PlatformContext) -> AbstractAsyncContextManager[Platform]:
        raise AssertionError

    def check(self, config: object, around: PlatformContext, live: bool) -> AsyncIterator[Finding]:
        raise AssertionError


KINDS = {"slack": Installable()}


@pytest.mark.parametrize("http", [False, True])
@pytest.mark.parametrize("chosen", CHOICES)
def test_the_settings_load_as_they_are_written(tmp_path: Path, chosen: tuple[str, ...], http: bool) -> None:
    file = tmp_path / "switchboard.toml"
    file.write_text(settings_text(chosen, PLATFORMS, http), "utf-8")
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
    text = re.sub(r"^#(?! )", "", settings_text(chosen, PLATFORMS, http=False), flags=re.MULTILINE)
    file = tmp_path / "switchboard.toml"
    file.write_text(text, "utf-8")
    settings = load(file, SECRETS)
    assert set(settings.routing.label("billing").leads) == set(chosen)
    assert settings.task("sentiment").names == ("upset", "calm")


@pytest.mark.parametrize("chosen", ["slack", "telegram", "web"])
def test_nothing_is_said_of_a_platform_that_was_not_chosen(chosen: str) -> None:
    text = settings_text((chosen,), PLATFORMS, http=False).lower()
    assert [name for name in ("slack", "telegram") if name in text] == [
        name for name in ("slack", "telegram") if name == chosen
    ]


def test_every_setting_that_there_is_is_explained() -> None:
    lines = settings_text(PLATFORMS, PLATFORMS, http=False).splitlines()
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
    text = settings_text(PLATFORMS, PLATFORMS, http=False)
    whole, bare = tmp_path / "whole.toml", tmp_path / "bare.toml"
    whole.write_text(text, "utf-8")
    bare.write_text(re.sub(r"^\[conversation\].*?^(?=\[platforms)", "", text, flags=re.MULTILINE | re.DOTALL), "utf-8")
    written, usual = load(whole, SECRETS), load(bare, SECRETS)
    assert usual == replace(written, path=bare, languages=("en",))


def test_files_are_written_beside_each_other(tmp_path: Path) -> None:
    settings = tmp_path / "conf" / "switchboard.toml"
    written = begin(settings, ["slack"], KINDS, http=False, force=False)
    assert written == [settings, tmp_path / "conf" / "slack-manifest.yaml"]
    assert written[1].read_text("utf-8").strip() == "name: Switchboard"


def test_what_is_called_from_outside_names_an_address_that_is_to_be_replaced(tmp_path: Path) -> None:
    settings, manifest = begin(tmp_path / "switchboard.toml", ["slack"], KINDS, http=True, force=False)
    assert "https://bot.example.com" in manifest.read_text("utf-8")
    assert any("https://bot.example.com" in step for step in next_steps(settings, [manifest], ["slack"], http=True))


def test_nothing_is_overwritten_unless_forced(tmp_path: Path) -> None:
    settings, manifest = tmp_path / "switchboard.toml", tmp_path / "slack-manifest.yaml"
    manifest.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match=r"slack-manifest\.yaml: here already, nothing was written; --force"):
        begin(settings, ["slack"], KINDS, http=False, force=False)
    assert (manifest.read_text("utf-8"), settings.exists()) == ("mine", False)
    begin(settings, ["slack"], KINDS, http=False, force=True)
    assert manifest.read_text("utf-8") != "mine"


def test_an_unknown_platform_is_named_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such platform: irc; there are slack, telegram, web"):
        begin(tmp_path / "switchboard.toml", ["irc", "web"], platform_modules(), http=False, force=False)


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        begin(tmp_path / "file" / "switchboard.toml", [], platform_modules(), http=False, force=False)


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
    settings.write_text(settings_text(chosen, PLATFORMS, http), "utf-8")
    steps = next_steps(settings, [settings], chosen, http)
    assert set(re.findall(r"[A-Z]+_[A-Z_]+", " ".join(steps))) == variables
    assert load(settings, {name: SECRETS[name] for name in variables}).platforms
    assert [step for step in steps if "switchboard check" in step] and steps[-1] == "Start it: switchboard run"


def test_the_next_steps_name_the_manifest_that_was_written() -> None:
    steps = next_steps(
        Path("switchboard.toml"), [Path("switchboard.toml"), Path("slack-manifest.yaml")], ["slack"], False
    )
    assert "paste slack-manifest.yaml" in steps[0]
