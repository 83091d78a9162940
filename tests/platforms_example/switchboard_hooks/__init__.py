"""Hooks: any chat that posts JSON to us and takes JSON from us, as a separate package."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.errors import ConfigError, SecretMistake
from bot.domain.messages import Place
from bot.domain.ports import Platform
from bot.platforms import ExampleTeam, Finding, PlatformContext, PlatformModule

NAME = "hooks"
_WORD = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings under `[platforms.hooks]`, and the secret, which is never shown."""

    url: str
    """The address to which our posts are sent."""
    token: str = field(repr=False)
    """The secret that both sides present to each other."""
    leads: frozenset[str] = frozenset()


class HooksModule(PlatformModule):
    """Hooks, as settings and commands know it."""

    usual_emoji: Mapping[str, str] = {"take": "eyes", "done": "check", "wrong": "thumbsdown", "send": "outbox"}
    example_teams: Mapping[str, ExampleTeam] = {
        "billing": ExampleTeam("moneybag", "billing", "lee"),
        "it": ExampleTeam("computer", "it", "lee"),
        "triage": ExampleTeam("compass", "triage", "lee"),
    }

    def parse(self, table: Mapping[str, object], environment: Mapping[str, str]) -> Config:
        """Raises ConfigError naming every wrong key and missing variable."""
        known = ("url", "leads")
        mistakes: list[str] = [
            f"platforms.hooks.{key}: unknown; there are {', '.join(known)}" for key in table if key not in known
        ]
        url, token, leads = table.get("url"), environment.get("HOOKS_TOKEN", ""), table.get("leads", [])
        if not isinstance(url, str) or not re.match(r"https?://[^/\s]", url):
            mistakes.append("platforms.hooks.url: write where the chat takes our posts, https://…")
        if not token:
            missing = "platforms.hooks: HOOKS_TOKEN is not set in the environment; it is the word both sides know"
            mistakes.append(SecretMistake(missing))
        if not isinstance(leads, list) or not all(isinstance(who, str) and _WORD.fullmatch(who) for who in leads):
            mistakes.append('platforms.hooks.leads: write a list of people\'s names, ["lee"]')
        if mistakes or not isinstance(url, str) or not isinstance(leads, list):
            raise ConfigError(mistakes)
        return Config(url, token, frozenset(leads))

    def emoji(self, written: str) -> str:
        """Its name in small letters, without colons. Raises ValueError saying how one is written."""
        return _word(written.strip().strip(":").lower(), "an emoji's name, like moneybag")

    def place(self, written: str) -> Place:
        """The room of that name. Raises ValueError saying how one is written."""
        return Place(NAME, _word(written, "a room's name, like billing"))

    def lead(self, written: object) -> str:
        """The person of that name. Raises ValueError saying how one is written."""
        return _word(written, "a person's name, like lee")

    @asynccontextmanager
    async def connect(self, config: object, around: PlatformContext) -> AsyncIterator[Platform]:
        """The chat, ready to be used."""
        from switchboard_hooks.adapter import opened

        async with opened(_ours(config), around) as hooks:
            yield hooks

    def check(self, config: object, around: PlatformContext) -> AsyncIterator[Finding]:
        """Whether the chat answers."""
        from switchboard_hooks.check import check

        return check(_ours(config))

    def settings_table(self, address: str = "") -> str:
        """From the template in this folder."""
        return Path(__file__).with_name("init.toml").read_text("utf-8")

    def first_steps(self, files: Sequence[str], address: str = "") -> Sequence[str]:
        """What has to be agreed with the chat."""
        return ["Hooks: agree on a secret word with the chat: export HOOKS_TOKEN=…"]


PLATFORM = HooksModule()


def _ours(config: object) -> Config:
    if not isinstance(config, Config):
        raise TypeError("Hooks was given another platform's settings")
    return config


def _word(written: object, what: str) -> str:
    if not isinstance(written, str) or not _WORD.fullmatch(written):
        raise ValueError(f"write {what}")
    return written
