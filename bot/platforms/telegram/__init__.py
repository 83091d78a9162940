"""Telegram: private chats, and groups where the bot is addressed, through python-telegram-bot."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.errors import ConfigError, SecretMistake
from bot.domain.messages import Place
from bot.domain.ports import Platform
from bot.platforms import ExampleTeam, Finding, PlatformContext, PlatformModule
from bot.platforms.telegram.first_steps import steps

NAME = "telegram"
HOOK = "/telegram/webhook"
"""The path at which our HTTP server receives updates."""
ADMINS = "admins"
"""In a list of leads: all administrators of the card's group."""

_API = "https://api.telegram.org/bot"
_FILES = "https://api.telegram.org/file/bot"
_ROOM = re.compile(r"(-\d{1,15})(?:/(\d{1,10}))?")
_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]+")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TEMPLATE = Path(__file__).with_name("init.toml")
_VARIABLES = {
    "TELEGRAM_BOT_TOKEN": "the token that @BotFather gave, 123456:ABC…",
    "TELEGRAM_WEBHOOK_SECRET": "1 to 256 of the characters A-Z a-z 0-9 _ -, of your own invention",
    "TELEGRAM_API_BASE_URL": "where Telegram is, instead of platforms.telegram.api_base_url",
    "TELEGRAM_FILE_BASE_URL": "and its files, instead of platforms.telegram.file_base_url",
}
_KEYS = ("mode", "api_base_url", "file_base_url", "leads", "webhook_url")


class Mode(StrEnum):
    """How Telegram delivers updates to us."""

    POLLING = "polling"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings under `[platforms.telegram]`, and the secrets, which are never printed."""

    bot_token: str = field(repr=False)
    mode: Mode = Mode.POLLING
    webhook_secret: str = field(default="", repr=False)
    """Empty in polling mode."""
    webhook_url: str = ""
    """The whole public address that Telegram posts to; empty in polling mode."""
    api_base_url: str = _API
    file_base_url: str = _FILES
    leads: frozenset[str] = frozenset()
    """Who may correct: the ids of people, and perhaps `ADMINS`."""


def room(chat: str | int, topic: int | None) -> str:
    """A chat, or a topic in it, as `Place.chat` holds it; a topic is a room of its own, not one conversation.

    The topic General (1) is the chat itself: Telegram refuses its number.
    """
    return f"{chat}/{topic}" if topic is not None and topic > 1 else str(chat)


class TelegramModule(PlatformModule):
    """Telegram, as the settings and the commands use it."""

    usual_emoji: Mapping[str, str] = {"take": "👀", "done": "👌", "wrong": "👎", "send": "🕊"}
    more_emoji: Mapping[str, str] = {"request": "✍", "no_request": "🙊"}
    common_variables = ("TELEGRAM_API_BASE_URL", "TELEGRAM_FILE_BASE_URL")
    variables: Mapping[str, str] = _VARIABLES
    example_teams: Mapping[str, ExampleTeam] = {
        "billing": ExampleTeam("🤝", "-1001234567890", 444555666),
        "it": ExampleTeam("👾", "-1001234567891", 444555667),
        "triage": ExampleTeam("🤷", "-1001234567892", 444555668),
    }

    def parse(self, table: Mapping[str, object], environment: Mapping[str, str]) -> Config:
        """The settings and secrets of Telegram. Raises ConfigError naming every wrong key and missing variable."""
        mistakes = [
            f"platforms.telegram.{key}: unknown; keys here are {', '.join(_KEYS)}" for key in table if key not in _KEYS
        ]
        mode = _mode(table.get("mode", Mode.POLLING.value), mistakes)
        api = _base(table, environment, "api_base_url", _API, mistakes)
        files = _base(table, environment, "file_base_url", _FILES, mistakes)
        leads = _leads(table.get("leads", []), mistakes)
        token = _secret(environment, "TELEGRAM_BOT_TOKEN", _TOKEN, mistakes)
        secret = url = ""
        if mode is Mode.WEBHOOK:
            secret = _secret(environment, "TELEGRAM_WEBHOOK_SECRET", _SECRET, mistakes)
            url = _hook(table.get("webhook_url"), mistakes)
        if mistakes or mode is None:
            raise ConfigError(mistakes)
        return Config(token, mode, secret, url, api, files, leads)

    def below(self, config: object, path: str) -> Config:
        """The settings with `path` before the webhook's path, if that is the usual one or was left out."""
        ours = _ours(config)
        address = urlsplit(ours.webhook_url)
        if address.path != HOOK:
            return ours
        return replace(ours, webhook_url=address._replace(path=path + HOOK).geturl())

    def emoji(self, written: str) -> str:
        """The normal form of an emoji that Telegram allows as a reaction. Raises ValueError naming some."""
        # Reading settings imports all platforms' folders; only a process that uses Telegram should load its client.
        from bot.platforms.telegram.emoji import normal

        return normal(written)

    def place(self, written: str) -> Place:
        """The group, or the topic in it, that is a team's room. Raises ValueError that says how to write one."""
        found = _ROOM.fullmatch(written.strip())
        if found is None:
            raise ValueError(
                f"{written!r} is no group; write its id, like -1001234567890, "
                "or -1001234567890/45 for the topic 45 in it"
            )
        return Place(NAME, room(found[1], int(found[2]) if found[2] else None))

    def lead(self, written: object) -> str:
        """The id of a person, or `ADMINS`. Raises ValueError that says how to write one."""
        return _lead(written)

    @asynccontextmanager
    async def connect(self, config: object, context: PlatformContext) -> AsyncIterator[Platform]:
        """Telegram, ready to send; closed with the context. Raises Refused when the token is invalid.

        An unreachable Telegram does not prevent the start: listening and sending will notice it.
        """
        from bot.platforms.telegram.adapter import opened

        async with opened(_ours(config), context) as telegram:
            yield telegram

    def check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Prove with real calls that everything needed works in Telegram, one finding at a time."""
        from bot.platforms.telegram.check import check

        return check(_ours(config), context)

    def live_check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Check that reactions arrive from every team's room."""
        from bot.platforms.telegram.live_check import live_check

        return live_check(_ours(config), context)

    def install(self, address: str = "") -> Mapping[str, str]:
        """No files: a bot is created by talking to @BotFather, and it sets up its menu and webhook itself."""
        return {}

    def settings_table(self, address: str = "") -> str:
        """The settings table, from the template beside this file."""
        text = _TEMPLATE.read_text("utf-8")
        if not address:
            return text
        return text.replace('mode = "polling"', 'mode = "webhook"').replace("#webhook_url = ", "webhook_url = ")

    def emoji_note(self) -> str:
        """That Telegram allows few emoji as reactions, and not the most usual one for "done"."""
        return "Telegram: only the 73 emoji that it allows as reactions; ✅ is none of them."

    def first_steps(self, files: Sequence[str], address: str = "") -> Sequence[str]:
        """How to create the bot, where to find its secrets, and to which groups to add it."""
        return list(steps(address))


PLATFORM = TelegramModule()


def _lead(written: object) -> str:
    if written == ADMINS:
        return ADMINS
    if isinstance(written, int) and not isinstance(written, bool) and written > 0:
        return str(written)
    raise ValueError(
        f"{written!r} does not belong; list people by their numeric ids without quotes, like 111222333, "
        f'or "{ADMINS}" for the administrators of the card\'s group'
    )


def _ours(config: object) -> Config:
    if not isinstance(config, Config):
        raise TypeError("Telegram was given another platform's settings")
    return config


def _mode(value: object, mistakes: list[str]) -> Mode | None:
    if value in list(Mode):
        return Mode(str(value))
    mistakes.append(f'platforms.telegram.mode: {value!r} is no mode; write "polling" or "webhook"')
    return None


def _base(
    table: Mapping[str, object], environment: Mapping[str, str], key: str, default: str, mistakes: list[str]
) -> str:
    variable = f"TELEGRAM_{key.upper()}"
    value = environment.get(variable) or table.get(key, default)
    address = value.strip().rstrip("/") if isinstance(value, str) else ""
    if _is_address(address) and address.endswith("/bot"):
        return address
    mistakes.append(
        f'platforms.telegram.{key} (or {variable}): must be an http(s) address that ends in /bot, like "{default}"'
    )
    return default


def _leads(value: object, mistakes: list[str]) -> frozenset[str]:
    if not isinstance(value, list):
        mistakes.append(f'platforms.telegram.leads: must be a list, like [111222333, 444555666] or ["{ADMINS}"]')
        return frozenset()
    found = set()
    for item in value:
        try:
            found.add(_lead(item))
        except ValueError as error:
            mistakes.append(f"platforms.telegram.leads: {error}")
    return frozenset(found)


def _secret(environment: Mapping[str, str], variable: str, allowed: re.Pattern[str], mistakes: list[str]) -> str:
    what = _VARIABLES[variable]
    value = environment.get(variable, "").strip()
    if not value:
        mistakes.append(SecretMistake(f"platforms.telegram: {variable} is not set in the environment; it is {what}"))
    elif not allowed.fullmatch(value):
        # The value is not repeated: it may be a secret in the wrong place.
        mistakes.append(SecretMistake(f"platforms.telegram: {variable} holds something else; it is {what}"))
    return value


def _hook(value: object, mistakes: list[str]) -> str:
    address = value.strip() if isinstance(value, str) else ""
    if not _is_address(address):
        mistakes.append(
            "platforms.telegram.webhook_url: must be the https address at which Telegram finds this server, "
            'like "https://bot.example.com"; a path may be left out'
        )
        return ""
    return address if urlsplit(address).path.strip("/") else address.rstrip("/") + HOOK


def _is_address(text: str) -> bool:
    return re.match(r"https?://[^/\s]+[^\s]*$", text) is not None
