"""Slack: direct messages, mentions and intake channels, through slack-bolt."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bot.domain.errors import ConfigError, SecretMistake
from bot.domain.messages import Place
from bot.domain.ports import Platform
from bot.platforms import ExampleTeam, Finding, PlatformContext, PlatformModule
from bot.platforms.slack.emoji import normal
from bot.platforms.slack.first_steps import steps
from bot.platforms.slack.manifest import written
from bot.platforms.slack.oauth_settings import KEYS as OAUTH_KEYS
from bot.platforms.slack.oauth_settings import VARIABLES as OAUTH_VARIABLES
from bot.platforms.slack.oauth_settings import OAuthSettings, oauth_settings, secret
from bot.platforms.slack.payload import NAME
from bot.platforms.slack.shared_app import sharing

_API = "https://slack.com/api/"
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,30}")
_LEAD = re.compile(r"[UWS][A-Z0-9]{2,30}")
_TEMPLATE = Path(__file__).with_name("init.toml")
_VARIABLES = {
    "SLACK_BOT_TOKEN": "the Bot User OAuth Token, xoxb-…",
    "SLACK_APP_TOKEN": "the app-level token, xapp-…",
    "SLACK_SIGNING_SECRET": "the Signing Secret",
    **OAUTH_VARIABLES,
    "SLACK_API_BASE_URL": "where Slack is, instead of platforms.slack.api_base_url",
}
_KEYS = ("mode", "api_base_url", "intake", "leads", *OAUTH_KEYS)


class Mode(StrEnum):
    """How Slack delivers events to us."""

    SOCKET = "socket"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings under `[platforms.slack]`, and the secrets, which are never printed."""

    bot_token: str = field(repr=False)
    mode: Mode = Mode.SOCKET
    app_token: str = field(default="", repr=False)
    """Empty in HTTP mode."""
    signing_secret: str = field(default="", repr=False)
    """Empty in Socket Mode."""
    api_base_url: str = _API
    intake: frozenset[str] = frozenset()
    """Channels in which every message is a request."""
    leads: frozenset[str] = frozenset()
    """Ids of the people who may correct."""
    lead_groups: frozenset[str] = frozenset()
    """Ids of the user groups whose members may correct."""
    oauth: OAuthSettings | None = None
    """How a browser installs the app; `bot_token` is empty then. None: the token is in the environment."""


class SlackModule(PlatformModule):
    """Slack, as the settings and the commands use it."""

    usual_emoji: Mapping[str, str] = {"take": "eyes", "done": "white_check_mark", "wrong": "-1", "send": "outbox_tray"}
    more_emoji: Mapping[str, str] = {"request": "ticket", "no_request": "no_entry_sign"}
    common_variables = ("SLACK_API_BASE_URL",)
    variables: Mapping[str, str] = _VARIABLES
    example_teams: Mapping[str, ExampleTeam] = {
        "billing": ExampleTeam("moneybag", "C0BILLING", "U0LEAD2"),
        "it": ExampleTeam("computer", "C0IT", "U0LEAD3"),
        "triage": ExampleTeam("compass", "C0TRIAGE", "U0LEAD4"),
    }

    def parse(self, table: Mapping[str, object], environment: Mapping[str, str]) -> Config:
        """The settings and secrets of Slack. Raises ConfigError naming every wrong key and missing variable."""
        mistakes = [
            f"platforms.slack.{key}: unknown; keys here are {', '.join(_KEYS)}" for key in table if key not in _KEYS
        ]
        mode = _mode(table.get("mode", Mode.SOCKET.value), mistakes)
        base = _url(environment.get("SLACK_API_BASE_URL") or table.get("api_base_url", _API), mistakes)
        intake = _ids(table, "intake", _CHANNEL, "channel IDs, like C0123ABCD", mistakes)
        leads = _ids(table, "leads", _LEAD, "IDs of people (U…) and user groups (S…)", mistakes)
        oauth = oauth_settings(table, environment, mode is Mode.HTTP, mistakes)
        bot_token = "" if oauth else _secret(environment, "SLACK_BOT_TOKEN", mistakes)
        app_token = signing_secret = ""
        if mode is Mode.SOCKET:
            app_token = _secret(environment, "SLACK_APP_TOKEN", mistakes)
        elif mode is Mode.HTTP and not (oauth and oauth.shared):
            signing_secret = _secret(environment, "SLACK_SIGNING_SECRET", mistakes)
        mistakes += _swapped(bot_token, app_token)
        if mistakes or mode is None:
            raise ConfigError(mistakes)
        groups = frozenset(who for who in leads if who.startswith("S"))
        return Config(bot_token, mode, app_token, signing_secret, base, intake, leads - groups, groups, oauth)

    def together(self, first: object | None, others: Mapping[str, object]) -> Mapping[str, object]:
        """The settings with the shared app's secrets. Raises ConfigError where there is no app to share, or a Slack
        workspace stands in two files."""
        configs = {name: config for name, config in others.items() if isinstance(config, Config)}
        return {**others, **sharing(first if isinstance(first, Config) else None, configs)}

    def emoji(self, written: str) -> str:
        """The normal form of an emoji: Slack's short name without colons, skin tone or alias. Raises ValueError."""
        return normal(written)

    def place(self, written: str) -> Place:
        """The channel of that ID. Raises ValueError that says where to find it."""
        if not _CHANNEL.fullmatch(written):
            raise ValueError("write the channel's ID, like C0123ABCD (last line of the channel's details in Slack)")
        return Place(NAME, written)

    def lead(self, written: object) -> str:
        """The id of a person or user group. Raises ValueError that says how to write one."""
        if not isinstance(written, str) or not _LEAD.fullmatch(written):
            raise ValueError("write the ID of a person (U…, in their profile under ⋮) or of a user group (S…)")
        return written

    def sender(self, written: object) -> str:
        """The id of a person; a user group sends no messages. Raises ValueError that says how to write one."""
        if not isinstance(written, str) or not _LEAD.fullmatch(written) or written.startswith("S"):
            raise ValueError("write the ID of one person (U…, in their profile under ⋮)")
        return written

    @asynccontextmanager
    async def connect(self, config: object, context: PlatformContext) -> AsyncIterator[Platform]:
        """Slack, ready to send; closed with the context. Raises Refused when the token is invalid.

        An unreachable Slack does not prevent the start: listening and sending will notice it.
        """
        # All platforms' folders are imported to read settings; only a process that uses Slack should load its client.
        from bot.platforms.slack.adapter import opened

        async with opened(_ours(config), context) as slack:
            yield slack

    def check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Prove with real calls that everything needed works in Slack, one finding at a time."""
        from bot.platforms.slack.check import check

        return check(_ours(config), context)

    def live_check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Check that reactions arrive from every team's channel."""
        from bot.platforms.slack.live_check import live_check

        return live_check(_ours(config), context)

    def install(self, address: str = "") -> Mapping[str, str]:
        """The app's manifest for api.slack.com/apps: for HTTP with our `address`, for Socket Mode without it."""
        return {"slack-manifest.yaml": written(f"{address.rstrip('/')}/slack/events" if address else "")}

    def settings_table(self, address: str = "") -> str:
        """The settings table, from the template beside this file."""
        text = _TEMPLATE.read_text("utf-8")
        return text.replace('mode = "socket"', 'mode = "http"') if address else text

    def first_steps(self, files: Sequence[str], address: str = "") -> Sequence[str]:
        """How to create the app, where to find its secrets, and whom to invite."""
        return list(steps(next(iter(files), "the manifest"), address))


PLATFORM = SlackModule()


def _ours(config: object) -> Config:
    if not isinstance(config, Config):
        raise TypeError("Slack was given another platform's settings")
    return config


def _mode(value: object, mistakes: list[str]) -> Mode | None:
    if value in list(Mode):
        return Mode(str(value))
    mistakes.append(f'platforms.slack.mode: {value!r} is no mode; write "socket" or "http"')
    return None


def _url(value: object, mistakes: list[str]) -> str:
    if isinstance(value, str) and re.match(r"https?://[^/\s]", value.strip()):
        return value.strip().rstrip("/") + "/"
    mistakes.append(
        f'platforms.slack.api_base_url (or SLACK_API_BASE_URL): must be an http(s) address; Slack\'s own is "{_API}"'
    )
    return _API


def _ids(
    table: Mapping[str, object], key: str, allowed: re.Pattern[str], what: str, mistakes: list[str]
) -> frozenset[str]:
    value = table.get(key, [])
    if not isinstance(value, list):
        mistakes.append(f"platforms.slack.{key}: must be a list of {what}")
        return frozenset()
    good = [item for item in value if isinstance(item, str) and allowed.fullmatch(item)]
    mistakes += [f"platforms.slack.{key}: {item!r} does not belong; list {what}" for item in value if item not in good]
    return frozenset(good)


def _secret(environment: Mapping[str, str], variable: str, mistakes: list[str]) -> str:
    return secret(environment, variable, _VARIABLES[variable], mistakes)


def _swapped(bot_token: str, app_token: str) -> list[str]:
    mistakes: list[str] = []
    if bot_token.startswith(("xapp-", "xoxp-")):
        told = "platforms.slack: SLACK_BOT_TOKEN holds another kind of token; the bot's begins with xoxb-"
        mistakes.append(SecretMistake(told))
    if app_token.startswith(("xoxb-", "xoxp-")):
        told = "platforms.slack: SLACK_APP_TOKEN holds another kind of token; the app's begins with xapp-"
        mistakes.append(SecretMistake(told))
    return mistakes
