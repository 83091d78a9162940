"""The local chat: a page in the browser that needs no account and no token."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.domain.ports import Platform
from bot.platforms import Surroundings
from bot.platforms.web.adapter import WebChat
from bot.platforms.web.events import NAME, PEOPLE, PERSON_ROOMS, normal

_ROOM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Config:
    """The settings under `[platforms.web]`."""

    leads: tuple[str, ...] = ("lead",)
    """Who of the chat's three people may correct."""


def parse(table: Mapping[str, object], environment: Mapping[str, str]) -> Config:
    """Its part of the settings; it has no secrets. Raises ConfigError naming each wrong key."""
    mistakes = [f"platforms.web.{key}: no such setting; there is leads" for key in table if key != "leads"]
    leads = table.get("leads", ["lead"])
    choices = ", ".join(PEOPLE)
    if not isinstance(leads, list):
        mistakes.append(f"platforms.web.leads: write a list; choices are {choices}")
    else:
        mistakes += [f"platforms.web.leads: nobody is called {who!r}; choices are {choices}" for who in _unknown(leads)]
    if mistakes:
        raise ConfigError(mistakes)
    return Config(tuple(cast(list[str], leads)))


def _unknown(leads: list[object]) -> list[object]:
    return [who for who in leads if not isinstance(who, str) or who not in PEOPLE]


def emoji(written: str) -> str:
    """The normal form of an emoji: no skin tone, no variation selector. Raises ValueError saying what is allowed."""
    return normal(written)


def place(written: str) -> Place:
    """The team's room of that name. Raises ValueError saying how one is written."""
    if not _ROOM.fullmatch(written):
        raise ValueError("write a room's name with letters, digits, - and _ (at most 40), like billing")
    if written in PERSON_ROOMS:
        raise ValueError(f"{written} is a person's room; a team needs a room of its own")
    return Place(NAME, written)


@asynccontextmanager
async def connect(config: object, around: Surroundings) -> AsyncIterator[Platform]:
    """The chat, ready to speak. Nothing to sign in to, so it never raises Refused."""
    if not isinstance(config, Config):
        raise TypeError("the web chat was given another platform's settings")
    yield WebChat(config.leads, around)
