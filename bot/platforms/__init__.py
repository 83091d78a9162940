"""The places where people talk, one folder each; a new one implements `PlatformModule`."""

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
"""The meanings of emoji on a card or note, besides teams, named as in the settings and `Vocabulary`."""
MORE_EMOJI_ACTS = ("request", "no_request")
"""Further meanings, where a platform has an emoji for them: make this a request; this is no request."""
LIVE_SECONDS = 60.0
"""How long `switchboard check --live` waits for people, on all platforms together."""
EXAMPLE_TEAMS = ("billing", "it", "triage")
"""The teams in the settings that `switchboard init` writes."""


@dataclass(frozen=True, slots=True)
class PlatformContext:
    """What a platform may use besides its own settings."""

    task: Task
    """The task that routes conversations: its labels are the teams."""
    languages: tuple[str, ...]
    """The languages on offer; the first is the fallback."""
    base: str
    """The base model's name in the registry."""
    vocabulary: Vocabulary
    ledger: Ledger
    chat_commands: ChatCommands
    transcript: Transcript
    registry: Registry
    examples: Examples
    hearing: Mapping[str, Place] = field(default_factory=dict)
    """Key of the settings -> the room it names to be informed of answers to further questions, on whatever platform."""
    installations: Installations | None = None
    """Where a token is kept that a browser brings; None: nowhere."""

    def hearing_on(self, platform: str) -> dict[str, str]:
        """The rooms on `platform` that are informed of answers and are no team's -> the settings that name them."""
        teams = [label.deliver_to.get(platform) for label in self.task.labels]
        found: dict[str, list[str]] = {}
        for setting, place in self.hearing.items():
            if place.platform == platform and place not in teams:
                found.setdefault(place.chat, []).append(setting)
        return {chat: ", ".join(settings) for chat, settings in found.items()}


@runtime_checkable
class Routed(Protocol):
    """A platform that is called over HTTP: `bot.http` mounts its routes. They answer 503 until it listens."""

    @property
    def routes(self) -> Sequence[BaseRoute]: ...


@runtime_checkable
class SharesApp(Protocol):
    """A platform with one app for several workspaces: what comes to the address of one may be for another."""

    def hand_on_to(self, others: Mapping[str, Platform]) -> None:
        """Pass on what comes for these: the name of a workspace -> its platform. Called once, before any listens."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check by `switchboard check`."""

    what: str
    """What was checked, in a few words: "the bot's token", "the room of billing"."""
    ok: bool
    remedy: str = ""
    """How to mend it; empty when the check passed."""


@dataclass(frozen=True, slots=True)
class ExampleTeam:
    """How one example team of `switchboard init` is reached on this platform; each value as settings write it."""

    emoji: str
    room: str
    lead: str | int


class PlatformModule(ABC):
    """What a platform offers, as the object `PLATFORM` of its folder: all that the rest of the bot knows of it.

    `docs/new-platform.md` shows how to make one. Methods added by later versions have a default, so that platforms made
    by others go on working.
    """

    @property
    @abstractmethod
    def usual_emoji(self) -> Mapping[str, str]:
        """The emoji for each of `EMOJI_ACTS` where the settings name none."""

    @property
    def more_emoji(self) -> Mapping[str, str]:
        """The emoji for each of `MORE_EMOJI_ACTS` where the settings name none; acts may be left out."""
        return {}

    @property
    def common_variables(self) -> Collection[str]:
        """The environment variables that several workspaces may share, because they hold no secret of one of them.

        Any other variable belongs to one workspace: `NAME_ACME` for the workspace acme.
        """
        return ()

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables that the platform reads -> what each is, in a few words."""
        return {}

    @property
    @abstractmethod
    def example_teams(self) -> Mapping[str, ExampleTeam]:
        """How each of `EXAMPLE_TEAMS`, the teams that `switchboard init` writes, is reached on this platform."""

    @abstractmethod
    def parse(self, table: Mapping[str, object], environment: Mapping[str, str]) -> object:
        """The platform's settings and secrets. Raises ConfigError naming each wrong key: `platforms.NAME.key`.

        A `SecretMistake` among its mistakes stops only the commands that use the platform.
        """

    def below(self, config: object, path: str) -> object:
        """The same settings with `path` put before our HTTP addresses, as for a workspace."""
        return config

    def together(self, first: object | None, others: Mapping[str, object]) -> Mapping[str, object]:
        """The settings of the workspaces with a name, by that name, completed by what they share with the one without.

        `first`: the settings of the one without; None: it is not on this platform. Raises ConfigError where they do not
        fit together.
        """
        return others

    @abstractmethod
    def emoji(self, written: str) -> str:
        """The normal form of an emoji, for settings and events alike. Raises ValueError that says what is allowed."""

    @abstractmethod
    def place(self, written: str) -> Place:
        """The room behind an address in the settings. Raises ValueError that says how to write one."""

    @abstractmethod
    def lead(self, written: object) -> str:
        """The id of a person or group of people who may correct. Raises ValueError that says how to write one."""

    def sender(self, written: object) -> str:
        """The id of one person who sends messages. Raises ValueError that says how to write one."""
        return self.lead(written)

    @abstractmethod
    def connect(self, config: object, context: PlatformContext) -> AbstractAsyncContextManager[Platform]:
        """The platform, ready to send; closed with the context. Raises Refused when the token is invalid."""

    @abstractmethod
    def check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Prove with real calls that everything needed works there, one finding at a time. Posts nothing.

        The first finding is whether the platform answers and accepts our token; when it does not, nothing else is
        checked. An unreachable platform and an invalid token are reported in different words.
        """

    @abstractmethod
    def settings_table(self, address: str = "") -> str:
        """The table `[platforms.NAME]` of the settings that `switchboard init` writes; every key has a comment.

        `address` means the same as in `install`.
        """

    async def live_check(self, config: object, context: PlatformContext) -> AsyncIterator[Finding]:
        """Post a test message in every team's room and wait at most `LIVE_SECONDS` for a reaction on each.

        Yields a finding for each message once it is posted, which asks for the reaction, and one for each reaction. No
        message is left behind that looks as if it could still be answered.
        """
        nothing: tuple[Finding, ...] = ()
        for finding in nothing:
            yield finding

    def emoji_note(self) -> str:
        """A sentence for the written settings on what to know before choosing emoji here; may be empty."""
        return ""

    def install(self, address: str = "") -> Mapping[str, str]:
        """File name -> content of each file to hand to the platform in order to install the bot there; may be empty.

        With `address` (https://bot.example.com) the platform calls us there; without it, we call the platform.
        """
        return {}

    def first_steps(self, files: Sequence[str], address: str = "") -> Sequence[str]:
        """What to do on the platform before the first start, one sentence each; `files`: paths of `install`'s files."""
        return ()


def platform_names() -> list[str]:
    """The names of all platforms that can be used; loads none of them."""
    return sorted({*_own_names(), *(entry.name for entry in entry_points(group=ENTRY_POINTS))})


def platform_modules() -> dict[str, PlatformModule]:
    """Every platform by name: those with a folder here, and those of installed packages (`ENTRY_POINTS`).

    Raises UsageError naming a package whose platform cannot be loaded or has the name of another platform.
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
