"""The local chat: a page in the browser that needs no account and no token."""

import ipaddress
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.domain.ports import Platform
from bot.platforms import ExampleTeam, Finding, PlatformContext, PlatformModule
from bot.platforms.web.adapter import WebChat
from bot.platforms.web.events import NAME, PEOPLE, PERSON_ROOMS, normal
from bot.platforms.web.request_guard import Network

_TEMPLATE = Path(__file__).with_name("init.toml")
_ROOM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings under `[platforms.web]`."""

    leads: tuple[str, ...] = ("lead",)
    """Which of the chat's three people may correct."""
    networks: tuple[Network, ...] = ()
    """The networks that may use the chat besides this machine: anybody in them, as any of its people."""


class WebModule(PlatformModule):
    """The local chat, as the settings and the commands use it."""

    usual_emoji: Mapping[str, str] = {"take": "👀", "done": "✅", "wrong": "👎", "send": "📤"}
    more_emoji: Mapping[str, str] = {"no_request": "🚫"}
    example_teams: Mapping[str, ExampleTeam] = {
        "billing": ExampleTeam("💰", "billing", "lead"),
        "it": ExampleTeam("💻", "it", "lead"),
        "triage": ExampleTeam("🧭", "triage", "lead"),
    }

    def parse(self, table: Mapping[str, object], environment: Mapping[str, str]) -> Config:
        """The local chat's settings; it has no secrets. Raises ConfigError naming each wrong key."""
        known = ("leads", "networks")
        mistakes = [
            f"platforms.web.{key}: no such setting; there are {' and '.join(known)}"
            for key in table
            if key not in known
        ]
        networks = _networks(table.get("networks", []), mistakes)
        leads = table.get("leads", ["lead"])
        if not isinstance(leads, list):
            raise ConfigError([*mistakes, f"platforms.web.leads: write a list; choices are {', '.join(PEOPLE)}"])
        found = []
        for who in leads:
            try:
                found.append(_lead(who))
            except ValueError as error:
                mistakes.append(f"platforms.web.leads: {error}")
        if mistakes:
            raise ConfigError(mistakes)
        return Config(tuple(found), networks)

    def emoji(self, written: str) -> str:
        """The normal form of an emoji: no skin tone, no variation selector. Raises ValueError."""
        return normal(written)

    def place(self, written: str) -> Place:
        """The team's room of that name. Raises ValueError that says how to write one."""
        if not _ROOM.fullmatch(written):
            raise ValueError("write a room's name with letters, digits, - and _ (at most 40), like billing")
        if written in PERSON_ROOMS:
            raise ValueError(f"{written} is a person's room; a team needs a room of its own")
        return Place(NAME, written)

    def lead(self, written: object) -> str:
        """One of the chat's people. Raises ValueError that names them."""
        return _lead(written)

    @asynccontextmanager
    async def connect(self, config: object, context: PlatformContext) -> AsyncIterator[Platform]:
        """The chat, ready to send. There is no token, so it never raises Refused."""
        if not isinstance(config, Config):
            raise TypeError("the web chat was given another platform's settings")
        yield WebChat(config.leads, context, config.networks)

    def check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Check that teams have rooms in the chat."""
        from bot.platforms.web.check import check

        return check(context)

    def settings_table(self, address: str = "") -> str:
        """The settings table, from the template beside this file."""
        return _TEMPLATE.read_text("utf-8")


PLATFORM = WebModule()


def _networks(written: object, mistakes: list[str]) -> tuple[Network, ...]:
    found = []
    for one in written if isinstance(written, list) else [written]:
        try:
            found.append(ipaddress.ip_network(one if isinstance(one, str) else ""))  # it would take a number
        except ValueError:
            mistakes.append(f'platforms.web.networks: {one!r} is no network; write a list like ["192.168.7.0/24"]')
    return tuple(found)


def _lead(written: object) -> str:
    if not isinstance(written, str) or written not in PEOPLE:
        raise ValueError(f"nobody is called {written!r}; choices are {', '.join(PEOPLE)}")
    return written
