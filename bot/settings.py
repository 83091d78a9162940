"""One TOML file and secrets from the environment, parsed once into frozen settings; all mistakes are listed at once."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from bot.domain.errors import ConfigError
from bot.domain.messages import Place
from bot.domain.tasks import Label, Learning, Task
from bot.locales import available
from bot.platforms import kinds
from bot.schedule import cron_problem

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Database:
    url: str | None
    """None: the embedded PostgreSQL in `directory`."""
    directory: Path


@dataclass(frozen=True, slots=True)
class Model:
    base: str
    """`starter`, a Hugging Face id, or a folder."""
    server: str | None
    """The URL of a vLLM that runs; None: start our own."""
    runs: Path
    embedder: str
    """`bundled`, a Hugging Face id or folder, or the URL of an OpenAI-style embeddings server."""


@dataclass(frozen=True, slots=True)
class Web:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How conversations breathe."""

    settle: timedelta
    idle: timedelta
    patience: timedelta
    """How long the one question waits for its answer before the fallback team takes over."""


@dataclass(frozen=True, slots=True)
class Settings:
    path: Path
    database: Database
    model: Model
    web: Web
    rhythm: Rhythm
    languages: tuple[str, ...]
    platforms: Mapping[str, object]
    """Platform name -> its own Config."""
    tasks: tuple[Task, ...]

    @property
    def routing(self) -> Task:
        """The task whose labels are teams."""
        return next(task for task in self.tasks if task.routes)

    def task(self, name: str | None) -> Task:
        """The task of that name, the routing one for None. Raises ConfigError naming the choices."""
        if name is None:
            return self.routing
        for task in self.tasks:
            if task.name == name:
                return task
        raise ConfigError([f"tasks: no task called {name!r}; tasks are {_listed(t.name for t in self.tasks)}"])


def load(path: Path, environment: Mapping[str, str] = os.environ, home: Path | None = None) -> Settings:
    """Read the settings. Raises ConfigError with every mistake in it.

    Relative folders are seen from `home`, by default the folder the file is in.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            [f"{path}: no such file; name one with --config or SWITCHBOARD_CONFIG, or try `switchboard demo`"]
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError([f"{path}: {error}"]) from error
    return _Reader(path, environment, home or path.resolve().parent).settings(document)


def with_listen(settings: Settings, listen: str | None) -> Settings:
    """The same settings listening elsewhere; `listen` is HOST:PORT, None changes nothing. Raises ConfigError."""
    if listen is None:
        return settings
    reader = _Reader(settings.path, {}, settings.path.parent)
    web = reader.web({"listen": listen})
    reader.complain()
    return replace(settings, web=web)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


class _Reader:
    """Reads table by table and remembers every mistake instead of stopping at the first."""

    def __init__(self, path: Path, environment: Mapping[str, str], home: Path) -> None:
        self._home = home
        self._path = path
        self._environment = environment
        self._mistakes: list[str] = []
        self._kinds = kinds()

    def complain(self) -> None:
        if self._mistakes:
            raise ConfigError(self._mistakes)

    def settings(self, document: Table) -> Settings:
        known = {"database", "model", "web", "conversation", "platforms", "tasks"}
        self._unknown(document, known, "")
        database = self._database(self._table(document, "database"))
        model = self._model(self._table(document, "model"))
        web = self.web(self._table(document, "web"))
        rhythm, languages = self._conversation(self._table(document, "conversation"))
        platforms = self._platforms(self._table(document, "platforms"))
        tasks = self._tasks(self._table(document, "tasks"), frozenset(platforms))
        self.complain()
        return Settings(self._path, database, model, web, rhythm, languages, platforms, tasks)

    # --- the small tables ---

    def _database(self, table: Table) -> Database:
        self._unknown(table, {"url", "directory"}, "database.")
        url = self._environment.get("DATABASE_URL") or self._text(table, "url", "embedded", "database.")
        directory = self._home / self._text(table, "directory", "var/postgres", "database.")
        if url != "embedded" and not url.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
            self._mistakes.append('database.url: write "embedded" or a postgresql://… URL')
        return Database(None if url == "embedded" else url, directory)

    def _model(self, table: Table) -> Model:
        self._unknown(table, {"base", "server", "runs", "embedder"}, "model.")
        server = self._text(table, "server", "embedded", "model.")
        if server != "embedded" and not server.startswith(("http://", "https://")):
            self._mistakes.append('model.server: write "embedded" or the http://… URL of a vLLM server')
        return Model(
            base=self._text(table, "base", "starter", "model."),
            server=None if server == "embedded" else server.rstrip("/"),
            runs=self._home / self._text(table, "runs", "var/runs", "model."),
            embedder=self._text(table, "embedder", "bundled", "model."),
        )

    def web(self, table: Table) -> Web:
        self._unknown(table, {"listen"}, "web.")
        listen = self._text(table, "listen", "127.0.0.1:8080", "web.")
        address = urlsplit(f"//{listen}")
        try:
            host, port = address.hostname, address.port
        except ValueError:
            host, port = None, None
        if host is None or port is None:
            self._mistakes.append(f'web.listen: {listen!r} is no HOST:PORT; write "127.0.0.1:8080"')
            return Web("127.0.0.1", 8080)
        return Web(host, port)

    def _conversation(self, table: Table) -> tuple[Rhythm, tuple[str, ...]]:
        self._unknown(table, {"settle_seconds", "idle_hours", "ask_minutes", "languages"}, "conversation.")
        rhythm = Rhythm(
            settle=timedelta(seconds=self._number(table, "settle_seconds", 3, "conversation.")),
            idle=timedelta(hours=self._number(table, "idle_hours", 24, "conversation.")),
            patience=timedelta(minutes=self._number(table, "ask_minutes", 10, "conversation.")),
        )
        languages = self._texts(table, "languages", ("en",), "conversation.")
        for language in languages:
            if language not in available():
                self._mistakes.append(
                    f"conversation.languages: {language!r} is not spoken here; choose from {_listed(available())}"
                )
        return rhythm, languages or ("en",)

    def _platforms(self, table: Table) -> dict[str, object]:
        configs: dict[str, object] = {}
        for name in table:
            if name not in self._kinds:
                self._mistakes.append(f"platforms.{name}: no such platform; there are {_listed(self._kinds)}")
                continue
            try:
                configs[name] = self._kinds[name].parse(self._table(table, name, "platforms."), self._environment)
            except ConfigError as error:
                self._mistakes += error.mistakes
        return configs

    # --- tasks ---

    def _tasks(self, table: Table, platforms: frozenset[str]) -> tuple[Task, ...]:
        tasks = tuple(self._task(name, self._table(table, name, "tasks."), platforms) for name in table)
        routing = [task.name for task in tasks if task.routes]
        if len(routing) != 1:
            found = f"{_listed(routing)} do" if routing else "none does"
            self._mistakes.append(f"tasks: exactly one task must send to teams (labels with deliver_to); {found}")
        return tasks

    def _task(self, name: str, table: Table, platforms: frozenset[str]) -> Task:
        where = f"tasks.{name}."
        self._unknown(table, {"question", "fallback", "ask_below", "labels", "learning"}, where)
        rows = self._table(table, "labels", where)
        labels = tuple(self._label(label, self._table(rows, label, f"{where}labels."), where) for label in rows)
        names = [label.name for label in labels]
        if len(names) < 2:
            self._mistakes.append(f"{where}labels: at least two labels are needed to have a choice")
        fallback = self._text(table, "fallback", names[-1] if names else "", where)
        if names and fallback not in names:
            self._mistakes.append(f"{where}fallback: no label called {fallback!r}; labels are {_listed(names)}")
        self._twins(labels, where)
        self._deaf(labels, platforms, where)
        return Task(
            name=name,
            question=self._text(table, "question", "", where) or self._missing(f"{where}question", "what is asked?"),
            labels=labels,
            fallback=fallback,
            ask_below=self._number(table, "ask_below", 0.60, where, at_most=1.0),
            learning=self._learning(self._table(table, "learning", where), f"{where}learning."),
        )

    def _label(self, name: str, table: Table, task: str) -> Label:
        where = f"{task}labels.{name}."
        self._unknown(table, {"means", "examples", "emoji", "deliver_to"}, where)
        means = self._text(table, "means", "", where)
        if not means:
            self._missing(f"{where}means", "say in a sentence what belongs there; the model reads it")
        emoji = {p: self._emoji(p, text, where) for p, text in self._by_platform(table, "emoji", where).items()}
        rooms = self._by_platform(table, "deliver_to", where)
        places = {p: place for p, text in rooms.items() if (place := self._place(p, text, where))}
        return Label(name, means, self._texts(table, "examples", (), where), emoji, places)

    def _emoji(self, platform: str, written: str, where: str) -> str:
        try:
            return self._kinds[platform].emoji(written)
        except ValueError as error:
            self._mistakes.append(f"{where}emoji.{platform}: {error}")
            return written

    def _place(self, platform: str, written: str, where: str) -> Place | None:
        try:
            return self._kinds[platform].place(written)
        except ValueError as error:
            self._mistakes.append(f"{where}deliver_to.{platform}: {error}")
            return None

    def _twins(self, labels: tuple[Label, ...], where: str) -> None:
        seen: dict[tuple[str, str], str] = {}
        for label in labels:
            for platform, emoji in label.emoji.items():
                first = seen.setdefault((platform, emoji), label.name)
                if first != label.name:
                    self._mistakes.append(
                        f"{where}labels.{label.name}.emoji.{platform}: {emoji} already means {first}; give each its own"
                    )

    def _deaf(self, labels: tuple[Label, ...], platforms: frozenset[str], where: str) -> None:
        """A team that can be reached only where we do not run would never hear of anything."""
        for label in labels:
            if label.deliver_to and platforms and not platforms & label.deliver_to.keys():
                self._mistakes.append(
                    f"{where}labels.{label.name}.deliver_to: none of {_listed(label.deliver_to)} is set up; "
                    f"platforms here are {_listed(platforms)}"
                )

    def _learning(self, table: Table, where: str) -> Learning:
        self._unknown(table, {"schedule", "min_corrections"}, where)
        schedule = self._text(table, "schedule", Learning().schedule, where)
        if problem := cron_problem(schedule):
            self._mistakes.append(f"{where}schedule: {schedule!r} is no cron expression of five fields ({problem})")
        return Learning(schedule, int(self._number(table, "min_corrections", 25, where)))

    # --- values ---

    def _missing(self, key: str, why: str) -> str:
        self._mistakes.append(f"{key}: missing; {why}")
        return ""

    def _unknown(self, table: Table, known: set[str], where: str) -> None:
        for key in table:
            if key not in known:
                self._mistakes.append(f"{where}{key}: unknown; keys here are {_listed(known)}")

    def _table(self, table: Table, key: str, where: str = "") -> Table:
        value = table.get(key, {})
        if isinstance(value, dict):
            return value
        self._mistakes.append(f"{where}{key}: must be a table")
        return {}

    def _text(self, table: Table, key: str, default: str, where: str) -> str:
        value = table.get(key, default)
        if isinstance(value, str):
            return value.strip()
        self._mistakes.append(f"{where}{key}: must be text in quotes")
        return default

    def _texts(self, table: Table, key: str, default: tuple[str, ...], where: str) -> tuple[str, ...]:
        value = table.get(key, list(default))
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self._mistakes.append(f'{where}{key}: must be a list of texts, ["…", "…"]')
        return default

    def _number(self, table: Table, key: str, default: float, where: str, at_most: float = 1e9) -> float:
        value = table.get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= at_most:
            return float(value)
        self._mistakes.append(f"{where}{key}: must be a number from 0 to {at_most:g}")
        return default

    def _by_platform(self, table: Table, key: str, where: str) -> dict[str, str]:
        rows: dict[str, str] = {}
        for platform, value in self._table(table, key, where).items():
            if platform not in self._kinds:
                self._mistakes.append(f"{where}{key}.{platform}: no such platform; there are {_listed(self._kinds)}")
            elif isinstance(value, str):
                rows[platform] = value
            else:
                self._mistakes.append(f"{where}{key}.{platform}: must be text in quotes")
        return rows
