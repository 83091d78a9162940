"""The places where people talk, one folder each: a new one offers what `PlatformModule` asks for."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from starlette.routing import BaseRoute

from bot.domain.errors import UsageError
from bot.domain.installations import Installations
from bot.domain.ledger import Ledger
from bot.domain.messages import Place
from bot.domain.model_ports import Examples, Registry
from bot.domain.ports import Platform
from bot.domain.queries import ChatCommands, Transcript
from bot.domain.tasks import Task, Vocabulary

ENTRY_POINTS = "switchboard.platforms"
"""The group of entry points by which an installed package offers a platform: NAME = "package:PLATFORM"."""
EMOJI_ACTS = ("take", "done", "wrong", "send")
"""What an emoji says on a card or note besides teams, as the settings and `Vocabulary` call it."""
MORE_EMOJI_ACTS = ("request", "no_request")
"""What an emoji says besides, where a platform has one for it: make a request of this; this is none."""
LIVE_SECONDS = 60.0
"""How long `switchboard check --live` waits for people, on all platforms together."""
EXAMPLE_TEAMS = ("billing", "it", "triage")
"""The teams in the settings that `switchboard init` writes."""


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
    hearing: Mapping[str, Place] = field(default_factory=dict)
    """Key of the settings -> the room that it names to hear of answers to further questions, on whatever platform."""
    installations: Installations | None = None
    """Where a token is kept that a browser brings; None: nowhere."""

    def hearing_on(self, platform: str) -> dict[str, str]:
        """Rooms there that are no team's -> the settings that name them."""
        teams = [label.deliver_to.get(platform) for label in self.task.labels]
        found: dict[str, list[str]] = {}
        for setting, place in self.hearing.items():
            if place.platform == platform and place not in teams:
                found.setdefault(place.chat, []).append(setting)
        return {chat: ", ".join(settings) for chat, settings in found.items()}


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


@dataclass(frozen=True, slots=True)
class ExampleTeam:
    """How one team of the settings that `switchboard init` writes is reached here; each value as one writes it."""

    emoji: str
    room: str
    lead: str | int


class PlatformModule(ABC):
    """What a platform offers, as the object `PLATFORM` of its folder: all that the rest of the bot knows of it.

    `docs/new-platform.md` shows how one is made. What later versions ask for comes with a default, so that a platform
    made by somebody else goes on working.
    """

    @property
    @abstractmethod
    def usual_emoji(self) -> Mapping[str, str]:
        """What each of `EMOJI_ACTS` has for an emoji where the settings do not say."""

    @property
    def more_emoji(self) -> Mapping[str, str]:
        """What each of `MORE_EMOJI_ACTS` has for an emoji where the settings do not say; none: nothing says it."""
        return {}

    @property
    def common_variables(self) -> Collection[str]:
        """Variables of the environment that several workspaces may share, because they hold no secret of one of them.

        Any other is a workspace's own: `NAME_ACME` for the workspace acme.
        """
        return ()

    @property
    def variables(self) -> Mapping[str, str]:
        """What of the environment it reads: variable -> what it is, in a few words."""
        return {}

    @property
    @abstractmethod
    def example_teams(self) -> Mapping[str, ExampleTeam]:
        """How the teams of the settings that `switchboard init` writes are reached: `EXAMPLE_TEAMS`."""

    @abstractmethod
    def parse(self, table: Mapping[str, object], environment: Mapping[str, str]) -> object:
        """Its part of the settings, and its secrets. Raises ConfigError naming each wrong key: `platforms.NAME.key`."""

    def below(self, config: object, path: str) -> object:
        """The same settings where our HTTP addresses have `path` before them, as those of a workspace have."""
        return config

    @abstractmethod
    def emoji(self, written: str) -> str:
        """The normal form of an emoji, for settings and events alike. Raises ValueError saying what is allowed."""

    @abstractmethod
    def place(self, written: str) -> Place:
        """The room behind an address in the settings. Raises ValueError saying how one is written."""

    @abstractmethod
    def lead(self, written: object) -> str:
        """The id of somebody, or of a group of people, who may correct. Raises ValueError saying how one is written."""

    def sender(self, written: object) -> str:
        """The id of one person, by whom messages come. Raises ValueError saying how one is written."""
        return self.lead(written)

    @abstractmethod
    def connect(self, config: object, context: PlatformContext) -> AbstractAsyncContextManager[Platform]:
        """The platform, ready to speak; closed with the context. Raises Refused when the token is no good."""

    @abstractmethod
    def check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Prove with real calls that everything needed works there, one finding at a time. Says nothing to anybody.

        The first says whether the platform answers and knows us; when it does not, nothing else is looked at. That it
        cannot be reached is said in other words than that a token is no good.
        """

    @abstractmethod
    def settings_table(self, address: str = "") -> str:
        """Its table in the settings that `switchboard init` writes, `[platforms.NAME]`, every key with a comment.

        With `address` as in `install`.
        """

    async def live_check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Post a test message in every team's room and wait `LIVE_SECONDS` at most for a reaction on each.

        A finding for each message once it is there, which asks for the reaction, and one for each reaction. In the end
        no message is left that looks as if it could still be answered.
        """
        nothing: tuple[Finding, ...] = ()
        for finding in nothing:
            yield finding

    def emoji_note(self) -> str:
        """What one has to know before choosing emoji here, a sentence for the written settings; empty: nothing."""
        return ""

    def install(self, address: str = "") -> Mapping[str, str]:
        """File name -> content of what has to be handed to the platform to install the bot there; empty: nothing.

        With `address` (https://bot.example.com) the platform calls us there; without, we call it.
        """
        return {}

    def first_steps(self, files: Sequence[str], address: str = "") -> Sequence[str]:
        """What is to be done there before the first start, a sentence each; `files` are where `install`'s are now."""
        return ()


def platform_names() -> list[str]:
    """Every platform that can be used, without loading any."""
    return sorted({*_own_names(), *(entry.name for entry in entry_points(group=ENTRY_POINTS))})


def platform_modules() -> dict[str, PlatformModule]:
    """Every platform by name: those with a folder here, and those of installed packages (`ENTRY_POINTS`).

    Raises UsageError naming a package whose platform cannot be loaded, or is called like another one.
    """
    modules = {name: _platform(importlib.import_module(f"{__name__}.{name}").PLATFORM) for name in _own_names()}
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in modules:
            raise UsageError(
                f"there are two platforms called {entry.name}; uninstall the package that has {entry.value}"
            )
        modules[entry.name] = _loaded(entry)
    return dict(sorted(modules.items()))


def _own_names() -> list[str]:
    return sorted(found.name for found in pkgutil.iter_modules(__path__) if found.ispkg)


def _loaded(entry: EntryPoint) -> PlatformModule:
    try:
        return _platform(entry.load())
    except (ImportError, AttributeError, TypeError) as error:
        package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
        raise UsageError(
            f"platform {entry.name} of the package {package} cannot be loaded: {error}; mend or uninstall the package"
        ) from error


def _platform(found: object) -> PlatformModule:
    if isinstance(found, PlatformModule):
        return found
    raise TypeError(f"{found!r} is no PlatformModule")
