"""The places where people talk, one folder each: a new one offers what `PlatformModule` asks for."""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

from starlette.routing import BaseRoute

from bot.domain.messages import Place
from bot.domain.model_ports import Examples, Registry
from bot.domain.ports import Ledger, Platform
from bot.domain.queries import ChatCommands, Transcript
from bot.domain.tasks import Task, Vocabulary


@dataclass(frozen=True, slots=True)
class PlatformContext:
    """What a platform may look at besides its own settings."""

    task: Task
    """The task that routes: its labels are the teams."""
    languages: tuple[str, ...]
    """Offered languages, the fallback first."""
    base: str
    """The base model's name, as the registry knows it."""
    vocabulary: Vocabulary
    ledger: Ledger
    chat_commands: ChatCommands
    transcript: Transcript
    registry: Registry
    examples: Examples


@runtime_checkable
class Routed(Protocol):
    """A platform that hears people over HTTP: `bot.http` mounts its routes. They answer 503 until it listens."""

    @property
    def routes(self) -> Sequence[BaseRoute]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `switchboard check` looked at."""

    what: str
    """In a few words: "the bot's token", "the room of billing"."""
    ok: bool
    remedy: str = ""
    """What to do about it; empty when it works."""


class PlatformModule(Protocol):
    """What every platform folder offers at its top."""

    def parse(self, table: Mapping[str, object], environment: Mapping[str, str]) -> object:
        """Its part of the settings, and its secrets. Raises ConfigError naming each wrong key: `platforms.NAME.key`."""

    def emoji(self, written: str) -> str:
        """The normal form of an emoji, for settings and events alike. Raises ValueError saying what is allowed."""

    def place(self, written: str) -> Place:
        """The room behind an address in the settings. Raises ValueError saying how one is written."""

    def lead(self, written: object) -> str:
        """The id of somebody, or of a group of people, who may correct. Raises ValueError saying how one is written."""

    def connect(self, config: object, around: PlatformContext) -> AbstractAsyncContextManager[Platform]:
        """The platform, ready to speak; closed with the context. Raises Refused when the token is no good."""

    def check(self, config: object, around: PlatformContext, live: bool) -> AsyncIterator[Finding]:
        """Prove with real calls that everything needed works there, one finding at a time.

        `live` posts a card in every team's room and waits for a reaction on it.
        """

    def install(self, address: str = "") -> Mapping[str, str]:
        """File name -> content of what has to be handed to the platform to install the bot there; empty: nothing.

        With `address` (https://bot.example.com) the platform calls us there; without, we call it.
        """


def platform_modules() -> dict[str, PlatformModule]:
    """Every platform there is a folder for, by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if found.ispkg)
    return {name: cast(PlatformModule, importlib.import_module(f"{__name__}.{name}")) for name in names}
