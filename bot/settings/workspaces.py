"""Further workspaces: each a settings file, with a database, secrets and addresses of its own."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.domain.errors import ConfigError, SecretMistake
from bot.domain.model_ports import SAME
from bot.platforms import PlatformModule
from bot.secret_files import ReadableSecrets, SecretFiles
from bot.settings.platforms import Unusable, secrets_of
from bot.settings.values import Table

if TYPE_CHECKING:
    from bot.settings import Settings

_NAME = re.compile(r"[a-z][a-z0-9]{0,29}")
COMMON = ("database", "model", "training", "web", "workspaces")
"""Tables of the whole process; they stand in the file that names the workspaces."""
_DATABASE = "DATABASE_URL"


def base_path(workspace: str) -> str:
    """The prefix of a workspace's paths; empty where it has no name."""
    return f"/workspaces/{workspace}" if workspace else ""


class WorkspaceEnvironment(Mapping[str, str]):
    """The environment of one workspace: `NAME` is read from `NAME_ACME`, and no other variable is available.

    `common` are variables that hold no workspace's secret, or an app's that all share: a workspace without one of its
    own uses the common value.
    """

    def __init__(self, environment: Mapping[str, str], workspace: str, common: frozenset[str]) -> None:
        self._environment = environment
        self._suffix = f"_{workspace.upper()}"
        self._common = common
        self.own: dict[str, str] = {}
        """This workspace's own variables that were read: the name without the suffix -> its value."""
        self._asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self._asked.add(name)
        value = self._environment.get(f"{name}{self._suffix}")
        if name in self._common:
            return value if value is not None else self._environment[name]
        if value is None:
            raise KeyError(name)
        self.own[name] = value
        return value

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(self._suffix) for name in self._environment if name.endswith(self._suffix))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def named(self, mistake: str) -> str:
        """The mistake, with the variables' names in the process's environment."""
        ours = sorted(self._asked - self._common, key=len, reverse=True)
        pattern = "|".join(re.escape(name) for name in ours)
        return re.sub(rf"\b({pattern})\b", rf"\1{self._suffix}", mistake) if ours else mistake


@dataclass(slots=True)
class WorkspaceFiles:
    """Reads `[workspaces]`: NAME = "FILE"; the mistakes in all the files are listed together."""

    environment: Mapping[str, str]
    home: Path
    common: frozenset[str]
    platforms: frozenset[str]
    """The names of all platforms: variables that begin with one identify a bot."""
    mistakes: list[str] = field(default_factory=list)
    _seen: list[tuple[str, WorkspaceEnvironment]] = field(default_factory=list)

    def files(self, document: Table) -> list[tuple[str, Path]]:
        """(name, file) of each workspace."""
        table = document.get("workspaces", {})
        if not isinstance(table, dict):
            self.mistakes.append('workspaces: must be a table, with acme = "acme.toml" for each workspace')
            return []
        found = [(name, self._file(name, written)) for name, written in table.items()]
        files = [(name, file) for name, file in found if file is not None]
        self._twice(files)
        return files

    def _file(self, name: str, written: object) -> Path | None:
        if not _NAME.fullmatch(name):
            self.mistakes.append(
                f"workspaces.{name}: a workspace is called by up to 30 letters a-z and digits, like acme"
            )
            return None
        if not isinstance(written, str) or not written.strip():
            self.mistakes.append(
                f'workspaces.{name}: write the name of its settings file in quotes, like "{name}.toml"'
            )
            return None
        return self.home / written.strip()

    def _twice(self, files: Sequence[tuple[str, Path]]) -> None:
        seen: dict[Path, str] = {}
        for name, file in files:
            first = seen.setdefault(file.resolve(), name)
            if first != name:
                self.mistakes.append(f"workspaces.{name}: {file.name} is the file of {first}; give each its own")

    def read(self, name: str, file: Path, document: Table, reading: Callable[[Mapping[str, str]], None]) -> None:
        """Have one file read with the workspace's own environment; its mistakes are prefixed with its name."""
        environment = WorkspaceEnvironment(self.environment, name, self.common)
        for table in COMMON:
            if table in document:
                belongs = f"{table}: belongs to all workspaces; write it in the file that names them"
                self.mistakes.append(self.told(name, file, belongs))
        try:
            reading(environment)
        except ConfigError as error:
            self.mistakes += [self.told(name, file, environment.named(mistake)) for mistake in error.mistakes]
        else:
            self._shared_secrets(name, environment)
        self._seen.append((name, environment))

    @staticmethod
    def told(name: str, file: Path, mistake: str) -> str:
        """A mistake with the workspace and the file in which it is."""
        return f"workspace {name} ({file.name}): {mistake}"

    def told_of_secrets(
        self, name: str, file: Path, mistakes: Sequence[SecretMistake], environment: Mapping[str, str]
    ) -> tuple[SecretMistake, ...]:
        """Mistakes in a workspace's secrets, with its name, its file and its own variables; others as they are."""
        if not isinstance(environment, WorkspaceEnvironment):
            return tuple(mistakes)
        return tuple(SecretMistake(self.told(name, file, environment.named(one)), one.part) for one in mistakes)

    def _shared_secrets(self, name: str, environment: WorkspaceEnvironment) -> None:
        """Note where two workspaces share a bot or database: messages of one would reach the other."""
        identities = (_DATABASE, *(f"{platform.upper()}_" for platform in self.platforms))
        for variable, value in environment.own.items():
            if not variable.startswith(identities):
                continue
            others = [f"{variable}_{other.upper()}" for other, one in self._seen if one.own.get(variable) == value]
            others += [variable] if ReadableSecrets(self.environment).get(variable, "") == value else []
            if others:
                self.mistakes.append(
                    f"{variable}_{name.upper()}: the same as {others[0]}; each workspace has its own, "
                    "so that nothing of one comes to another"
                )


def load_all(
    path: Path,
    environment: Mapping[str, str],
    home: Path,
    document_of: Callable[[Path], Table],
    read: Callable[[Table, Path, Mapping[str, str], Path], "Settings"],
    platforms: Mapping[str, PlatformModule],
) -> "Settings":
    """The settings of one file, with those of the workspaces that it names. Raises ConfigError with every mistake."""
    document = document_of(path)
    common = frozenset(name for module in platforms.values() for name in module.common_variables)
    files = WorkspaceFiles(SecretFiles(environment), home, common, frozenset(platforms))
    found: dict[str, Settings] = {}

    def reading(name: str, file: Path, own: Table, seen: Mapping[str, str]) -> None:
        one = read(own, file, seen, home)
        found[name] = replace(one, secret_mistakes=files.told_of_secrets(name, file, one.secret_mistakes, seen))

    try:
        reading("", path, document, environment)
    except ConfigError as error:
        files.mistakes += error.mistakes
    for name, file in files.files(document):
        try:
            own = document_of(file)
        except ConfigError as error:
            files.mistakes += [f"workspaces.{name}: {mistake}" for mistake in error.mistakes]
            continue
        files.read(name, file, own, partial(reading, name, file, {k: v for k, v in own.items() if k not in COMMON}))
    main = found.pop("", None)
    if found and main is not None and main.model.server_adapters != SAME:
        files.mistakes.append(
            "workspaces: the model server that they share has to see the folder of our adapters under its own name; "
            "leave model.server_adapters out"
        )
    if main is not None:
        found = _together(main, found, platforms, files.mistakes)
    if files.mistakes or main is None:
        raise ConfigError(files.mistakes)
    return replace(main, workspaces=tuple(_beside(main, name, one, platforms) for name, one in found.items()))


def _together(
    main: "Settings", found: "Mapping[str, Settings]", platforms: Mapping[str, PlatformModule], mistakes: list[str]
) -> "dict[str, Settings]":
    """The workspaces, each platform of theirs with what it shares with the first one's. Adds what does not fit."""
    shared = {name: dict(one.platforms) for name, one in found.items()}
    unset: dict[str, tuple[SecretMistake, ...]] = dict.fromkeys(found, ())
    for platform, module in platforms.items():
        theirs = {name: configs[platform] for name, configs in shared.items() if platform in configs}
        theirs = {name: config for name, config in theirs.items() if not isinstance(config, Unusable)}
        first = main.platforms.get(platform)
        if isinstance(first, Unusable):  # its secrets may be theirs
            wrong = tuple(one for one in main.secret_mistakes if one.part == secrets_of(platform))
            unset |= {name: unset[name] + wrong for name in theirs}
            continue
        try:
            for name, config in module.together(first, theirs).items():
                shared[name][platform] = config
        except ConfigError as error:
            mistakes += error.mistakes
    return {
        name: replace(one, platforms=shared[name], secret_mistakes=one.secret_mistakes + unset[name])
        for name, one in found.items()
    }


def _beside(main: "Settings", name: str, one: "Settings", platforms: Mapping[str, PlatformModule]) -> "Settings":
    """A workspace with what all share: the model server, the HTTP address, and the database server."""
    around = main.model.runs.parent
    model = replace(main.model, runs=around / "workspaces" / name / "runs", server_folder=around)
    database = one.database if one.database.url else replace(main.database, workspace=name)
    path = base_path(name)
    below = {
        platform: config if isinstance(config, Unusable) else platforms[platform].below(config, path)
        for platform, config in one.platforms.items()
    }
    common = replace(one, database=database, model=model, training=main.training, web=main.web)
    return replace(common, workspace=name, platforms=below)
