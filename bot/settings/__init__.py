"""One TOML file and secrets from the environment, parsed once into frozen settings; all mistakes are listed at once."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.api_tokens import ApiToken
from bot.domain.endpoints import Endpoint
from bot.domain.errors import ConfigError, SecretMistake
from bot.domain.model_ports import SAME
from bot.domain.price_book import PriceBook
from bot.domain.retention import Retention
from bot.domain.rules import Rules
from bot.domain.tasks import Task, Vocabulary
from bot.domain.webhooks import Webhook
from bot.locales import available
from bot.platforms import platform_modules
from bot.secret_files import SecretFiles
from bot.settings.api import ApiSettings
from bot.settings.compare import Endpoints
from bot.settings.emoji import EmojiSettings
from bot.settings.no_request import NoRequestSettings
from bot.settings.platforms import read_platforms
from bot.settings.retention import read_retention
from bot.settings.rules import RuleSettings
from bot.settings.server_adapters import read_server_adapters
from bot.settings.servers import read_servers
from bot.settings.several import written_name
from bot.settings.tasks import Tasks
from bot.settings.topics import label_key
from bot.settings.training import RayCluster, read_training
from bot.settings.values import Table, Values, listed
from bot.settings.webhooks import WebhookSettings
from bot.settings.workspaces import WorkspaceEnvironment, load_all

_TABLES = (
    "database model training web conversation platforms tasks privacy retention rules api compare webhooks workspaces"
)
_TALK = (
    "settle_seconds idle_hours ask_minutes reopen_hours take_minutes languages timezone wordless not_a_request "
    "send_prefix emoji per_person_minute"
)
"""The keys of `[conversation]`."""
_POSTGRES = re.compile(r"postgres(ql)?(\+\w+)?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Database:
    url: str | None = field(repr=False)
    """None for the embedded PostgreSQL in `directory`. The URL may hold a password."""
    directory: Path
    workspace: str = ""
    """The workspace that has a database of its own in that server, beside this one; empty for this one itself."""


@dataclass(frozen=True, slots=True)
class Model:
    base: str
    """`starter`, a Hugging Face id, or a folder."""
    server: str | None
    """The URL, or unix:/… and the socket, of a running vLLM; None: start our own."""
    runs: Path
    embedder: str
    """`bundled`, the name of an included one, a Hugging Face id or folder, or MODEL@URL of a server."""
    deadline: float
    """Seconds that a person in a chat waits for the model before the other voices decide."""
    key: str = field(default="", repr=False)
    """The key that the model server demands, from MODEL_API_KEY; empty: none."""
    server_folder: Path | None = None
    """Where the embedded server of all workspaces keeps its address; None: beside `runs`."""
    server_adapters: str = SAME
    """How adapters reach the model server: "same", "fetch", or the folder under which it sees `runs`."""
    replicas: tuple[str, ...] = ()
    """Further servers of the same model, in the form of `server`."""
    adapter_token: str = field(default="", repr=False)
    """The token for fetching adapters, from SWITCHBOARD_ADAPTER_TOKEN; empty where none are fetched."""

    @property
    def servers(self) -> tuple[str, ...]:
        """Every external model server; empty: we start our own."""
        return () if self.server is None else (self.server, *self.replicas)


@dataclass(frozen=True, slots=True)
class Web:
    host: str
    port: int
    probe_token: str = field(default="", repr=False)
    """The token that `/readyz` and `/metrics` demand; empty: none."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The time limits of conversations."""

    settle: timedelta
    idle: timedelta
    patience: timedelta
    """How long the question to the person waits for an answer before the fallback team takes over."""
    reopen: timedelta
    """For how long after it was done a conversation opens again when its person writes."""
    take: timedelta
    """How long a team may leave a conversation untaken before it is reminded; zero: for ever."""


@dataclass(frozen=True, slots=True)
class Settings:
    path: Path
    database: Database
    model: Model
    web: Web
    timing: Timing
    languages: tuple[str, ...]
    vocabulary: Vocabulary
    wordless: str
    """What a message with an attachment and no words leads to: "ask" for words, or the "fallback" team."""
    platforms: Mapping[str, object]
    """Platform name -> its own Config."""
    tasks: tuple[Task, ...]
    unlearn_within: timedelta
    """How long an adapter that learned from an erased person may go on serving."""
    endpoints: tuple[Endpoint, ...] = ()
    """Hosted models that `switchboard compare` may ask."""
    prices: PriceBook | None = None
    """The prices of every comparison; None: the included ones."""
    per_person: int = 30
    """The most requests of one person that are handled in a minute; 0: no limit."""
    mask_training: bool = True
    """Whether personal data is masked in the folders of trainings."""
    training: RayCluster | None = None
    """The cluster that trains adapters; None: a process on this machine."""
    retention: Retention = field(default_factory=Retention)
    api: tuple[ApiToken, ...] = ()
    """The tokens for the API; empty: there is no API."""
    rules: Rules = field(default_factory=Rules)
    """The rules that decide before any voice is asked."""
    webhooks: tuple[Webhook, ...] = ()
    """The webhooks, each with the events that it receives."""
    workspace: str = ""
    """This workspace's name; empty for the main one, whose file names the others."""
    workspaces: "tuple[Settings, ...]" = ()
    """The further workspaces that the same process serves."""
    secret_mistakes: tuple[SecretMistake, ...] = ()
    """The secrets that are missing or wrong, if they were not demanded when the settings were read."""

    def demand(self, *parts: str) -> None:
        """Raise ConfigError where a secret that one of these parts needs is missing or wrong."""
        if told := [one for one in self.secret_mistakes if one.part in parts]:
            raise ConfigError(told)

    def demand_all(self) -> None:
        """Raise ConfigError where any secret is missing or wrong, those of the further workspaces included."""
        if told := [one for of in (self, *self.workspaces) for one in of.secret_mistakes]:
            raise ConfigError(told)

    def of_workspace(self, name: str | None) -> "Settings":
        """The settings of one workspace; None: all that the file names. Raises ConfigError naming the choices."""
        if name is None:
            return self
        for one in self.workspaces:
            if one.workspace == name:
                return one
        named = listed(one.workspace for one in self.workspaces) or "none"
        raise ConfigError([f"workspaces: no workspace called {name!r}; named in {self.path} are: {named}"])

    @property
    def routing(self) -> Task:
        """The task whose labels are teams."""
        return next(task for task in self.tasks if task.routes)

    @property
    def questions(self) -> tuple[Task, ...]:
        """The further questions: asked of every conversation, without sending it anywhere."""
        return tuple(task for task in self.tasks if not task.routes)

    def task(self, name: str | None) -> Task:
        """The task of that name, the routing one for None. Raises ConfigError naming the choices."""
        if name is None:
            return self.routing
        for task in self.tasks:
            if task.name == name:
                return task
        raise ConfigError([f"tasks: no task called {name!r}; tasks are {listed(t.name for t in self.tasks)}"])


def load(
    path: Path, environment: Mapping[str, str] = os.environ, home: Path | None = None, demanding: bool = True
) -> Settings:
    """Read the settings. Raises ConfigError with every mistake in them.

    Relative folders start at `home`, by default the file's folder. Unless `demanding`, secrets may be missing or wrong
    until `Settings.demand` is asked for them.
    """
    reading = partial(read, demanding=demanding)
    return load_all(path, environment, home or path.resolve().parent, document_of, reading, platform_modules())


def document_of(path: Path) -> Table:
    """The file's tables. Raises ConfigError saying why it cannot be read."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            [
                f"{path}: no such file; `switchboard init` writes one, --config or SWITCHBOARD_CONFIG names another; "
                "`switchboard demo` needs none"
            ]
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError([f"{path}: {error}"]) from error


def read(document: Table, path: Path, environment: Mapping[str, str], home: Path, demanding: bool = True) -> Settings:
    """Read parsed settings as if they were in `path`. Raises ConfigError with every mistake in them, as `load` does."""
    return _Reader(path, environment, home).settings(document, demanding)


def with_listen(settings: Settings, listen: str | None) -> Settings:
    """The settings with another address; `listen` is HOST:PORT, None changes nothing. Raises ConfigError."""
    if listen is None:
        return settings
    found = _Reader(settings.path, {}, settings.path.parent).listening(listen)
    return replace(settings, web=replace(settings.web, host=found.host, port=found.port))


class _Reader:
    """Reads the file, table by table."""

    def __init__(self, path: Path, environment: Mapping[str, str], home: Path) -> None:
        self._home = home
        self._path = path
        self._environment = environment if isinstance(environment, WorkspaceEnvironment) else SecretFiles(environment)
        self._kinds = platform_modules()
        self._values = Values(self._kinds)
        self._words = EmojiSettings(self._values, self._kinds)

    def settings(self, document: Table, demanding: bool) -> Settings:
        values = self._values
        values.unknown(document, set(_TABLES.split()), "")
        talk = values.table(document, "conversation")
        values.unknown(talk, set(_TALK.split()), "conversation.")
        platforms = read_platforms(values, self._kinds, self._environment, values.table(document, "platforms"))
        vocabulary = self._vocabulary(talk)
        zone, named = self._zone(talk), self._named(document)
        timing, compared = self._rhythm(talk), Endpoints(values, self._environment)
        tasks = Tasks(values, self._words, self._kinds, named, zone, timing.take)
        settings = Settings(
            path=self._path,
            database=self._database(values.table(document, "database")),
            model=self._model(values.table(document, "model")),
            web=self.web(values.table(document, "web")),
            timing=timing,
            languages=self._languages(talk),
            vocabulary=vocabulary,
            wordless=values.one_of(talk, "wordless", ("ask", "fallback"), "conversation."),
            platforms=platforms,
            tasks=tasks.read(values.table(document, "tasks")),
            unlearn_within=self._unlearn_within(values.table(document, "privacy")),
            endpoints=compared.read(values.table(document, "compare")),
            prices=compared.prices(values.table(document, "compare"), self._home),
            mask_training=values.yes_or_no(values.table(document, "privacy"), "mask_training", True, "privacy."),
            per_person=values.whole(talk, "per_person_minute", 30, "conversation."),
            training=read_training(values, values.table(document, "training")),
            retention=read_retention(values, values.table(document, "retention")),
            api=ApiSettings(values, self._environment).read(values.table(document, "api")),
            webhooks=WebhookSettings(values, self._environment).read(document),
        )
        teams = next((task.name for task in settings.tasks if task.routes), "")
        labels = [(f"{label_key(written_name(of), one, teams)}.", one) for of in settings.tasks for one in of.labels]
        beside = self._words.beside_teams(values.table(talk, "emoji"), vocabulary, labels)
        more = NoRequestSettings(values, self._words, self._kinds)
        beside = more.vocabulary(talk, beside, settings.tasks)
        known = more.tasks(talk, settings.tasks, beside, settings.languages)
        rules = RuleSettings(values, self._kinds, named, known, zone).read(document)
        unset = values.complain(demanding)
        return replace(settings, vocabulary=beside, tasks=known, rules=rules, secret_mistakes=unset)

    def listening(self, listen: str) -> Web:
        """The address alone. Raises ConfigError."""
        web = self.web({"listen": listen})
        self._values.complain()
        return web

    def _database(self, table: Table) -> Database:
        values = self._values
        values.unknown(table, {"url", "directory"}, "database.")
        given = self._secret("DATABASE_URL", "database")
        url = given or values.text(table, "url", "embedded", "database.")
        directory = self._home / values.text(table, "directory", "var/postgres", "database.")
        if url != "embedded" and not _POSTGRES.match(url):
            told = 'write "embedded" or a postgresql://… URL'
            if url == values.text(table, "url", "embedded", "database."):
                values.mistake(f"database.url: {told}")
            else:
                values.secret_mistake("database", f"DATABASE_URL: {told}")
        return Database(None if url == "embedded" else url, directory)

    def _secret(self, variable: str, part: str) -> str:
        """A secret from the environment or a file. Files of variables leave their quotes and line ends in it."""
        try:
            return self._environment.get(variable, "").strip().strip("\"'")
        except ConfigError as error:
            self._values.secret_mistake(part, *error.mistakes)
            return ""

    def _model(self, table: Table) -> Model:
        values = self._values
        values.unknown(table, {"base", "server", "server_adapters", "runs", "embedder", "deadline_seconds"}, "model.")
        server, replicas = read_servers(values, table)
        adapters, token = read_server_adapters(values, table, server != "embedded", self._secret)
        return Model(
            base=values.text(table, "base", "starter", "model."),
            server=None if server == "embedded" else server,
            replicas=replicas,
            runs=self._home / values.text(table, "runs", "var/runs", "model."),
            embedder=values.text(table, "embedder", "bundled", "model."),
            deadline=values.number(table, "deadline_seconds", 3, "model."),
            key=self._secret("MODEL_API_KEY", "model") if server != "embedded" else "",
            server_adapters=adapters,
            adapter_token=token,
        )

    def web(self, table: Table) -> Web:
        self._values.unknown(table, {"listen"}, "web.")
        listen = self._values.text(table, "listen", "127.0.0.1:8080", "web.")
        address = urlsplit(f"//{listen}")
        try:
            host, port = address.hostname, address.port
        except ValueError:
            host, port = None, None
        if host is None or port is None:
            self._values.mistake(f'web.listen: {listen!r} is no HOST:PORT; write "127.0.0.1:8080"')
            return Web("127.0.0.1", 8080)
        return Web(host, port, self._secret("SWITCHBOARD_PROBE_TOKEN", "web"))

    def _named(self, document: Table) -> frozenset[str]:
        """The platforms that the file means to run on, including one whose token is missing.

        Empty where a name is wrong: otherwise that mistake would be repeated for every team.
        """
        named = document.get("platforms")
        names = frozenset(named) if isinstance(named, dict) else frozenset[str]()
        return names if names <= set(self._kinds) else frozenset()

    def _unlearn_within(self, table: Table) -> timedelta:
        self._values.unknown(table, {"unlearn_days", "mask_training"}, "privacy.")
        return timedelta(days=self._values.number(table, "unlearn_days", 30, "privacy."))

    # --- conversations ---

    def _rhythm(self, talk: Table) -> Timing:
        def number(key: str, default: float) -> float:
            return self._values.number(talk, key, default, "conversation.")

        return Timing(
            settle=timedelta(seconds=number("settle_seconds", 3)),
            idle=timedelta(hours=number("idle_hours", 24)),
            patience=timedelta(minutes=number("ask_minutes", 10)),
            reopen=timedelta(hours=number("reopen_hours", 72)),
            take=timedelta(minutes=number("take_minutes", 30)),
        )

    def _languages(self, talk: Table) -> tuple[str, ...]:
        languages = self._values.texts(talk, "languages", ("en",), "conversation.")
        for language in languages:
            if language not in available():
                self._values.mistake(
                    f"conversation.languages: {language!r} is not spoken here; choose from {listed(available())}"
                )
        return languages or ("en",)

    def _zone(self, talk: Table) -> str:
        if "timezone" not in talk:
            return "UTC"  # not looked up: a machine without a time zone database works without hours
        name = self._values.text(talk, "timezone", "UTC", "conversation.")
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._values.mistake(f"conversation.timezone: {name!r} is no time zone; write one like Europe/Lisbon")
            return "UTC"

    def _vocabulary(self, talk: Table) -> Vocabulary:
        prefix = self._values.text(talk, "send_prefix", Vocabulary().send_prefix, "conversation.")
        if not prefix:
            self._values.mistake(
                'conversation.send_prefix: empty, so that every note would be sent; write a word like "reply:"'
            )
        return self._words.vocabulary(self._values.table(talk, "emoji", "conversation."), prefix)
