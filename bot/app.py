"""The composition root: settings become a running system. The only file that knows every concrete class."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from starlette.routing import BaseRoute

from bot.console import counting, say, share_of
from bot.demo import company
from bot.domain.errors import Unreachable
from bot.domain.learning import Example, Side, Source
from bot.domain.ports import Embedder, Platform
from bot.domain.tasks import Task
from bot.flow.classify import Classifier
from bot.flow.correct import Corrector
from bot.flow.deliver import Courier
from bot.flow.learn import Learner
from bot.flow.receive import Receiver
from bot.flow.relay import Relay
from bot.flow.remember import Rememberer
from bot.flow.sort import Sorter
from bot.http.app import Doorway
from bot.http.metrics import Metrics
from bot.http.server import listening_socket, serve_http
from bot.lifecycle import Bell, forever, keep_running, until_signal
from bot.platforms import Routed, Surroundings, kinds
from bot.schedule import keep_schedule
from bot.settings import Settings, load
from db.embedded import embedded
from db.engine import Database, open_database
from db.examples import PostgresExamples
from db.insight import PostgresInsight
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.migrate import upgrade
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.transcript import PostgresTranscript
from inference import starter
from inference.adapters import VllmAdapters
from inference.bases import base_folder
from inference.client import VllmPredictor
from inference.embed import open_embedder
from inference.prompt import PromptBuilder
from inference.server import EmbeddedServer, ServerSettings
from inference.workshop import ProcessWorkshop

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When the settings' own examples were said: anything newer outweighs them."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that is remembered."""

    database: Database
    ledger: PostgresLedger
    outbox: PostgresOutbox
    transcript: PostgresTranscript
    memory: PostgresMemory
    examples: PostgresExamples
    registry: PostgresRegistry
    insight: PostgresInsight


@dataclass(frozen=True, slots=True)
class Mind:
    """Everything that thinks."""

    classifier: Classifier
    rememberer: Rememberer
    learner: Learner
    server: EmbeddedServer | None
    """None: somebody else runs it."""
    adapters: VllmAdapters


@dataclass(frozen=True, slots=True)
class Demo:
    """How the demo differs from a run: it brings a company and shows itself."""

    open_browser: bool


def demo_settings(home: Path) -> Settings:
    """The demo company's settings, keeping what it stores under `home`."""
    return load(company.SETTINGS, home=home)


async def migrate(settings: Settings) -> None:
    """The database to the newest schema, under a lock."""
    async with _database_url(settings) as url:
        await asyncio.to_thread(upgrade, url)
    say("the database is at the newest schema")


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The database, at its newest schema, with the settings' examples in it. Raises Unreachable or UsageError."""
    async with _database_url(settings) as url:
        await asyncio.to_thread(upgrade, url)
        async with open_database(url) as database:
            store = Store(
                database,
                PostgresLedger(database),
                PostgresOutbox(database),
                PostgresTranscript(database),
                PostgresMemory(database),
                PostgresExamples(database),
                PostgresRegistry(database),
                PostgresInsight(database),
            )
            await _plant(settings, store)
            yield store


@asynccontextmanager
async def open_mind(settings: Settings) -> AsyncIterator[tuple[Store, Mind]]:
    """Database and model, ready to classify: what the commands need."""
    async with open_store(settings) as store:
        mind = await _mind(settings, store)
        async with _awake(mind):
            yield store, mind


def rememberer(settings: Settings, store: Store) -> Rememberer:
    """What gives examples their place in the memory; needs no model server."""
    return Rememberer(store.memory, _embedder(settings))


async def serve(settings: Settings, demo: Demo | None = None) -> None:
    """The bot, until SIGINT or SIGTERM. Raises UsageError, Refused or Unreachable when it cannot start."""
    await until_signal(_serve(settings, demo))


async def _serve(settings: Settings, demo: Demo | None) -> None:
    """People are heard as soon as the database is up; what they write waits until the model is."""
    async with AsyncExitStack() as stack:
        socket = stack.enter_context(listening_socket(settings.web.host, settings.web.port))
        store = await stack.enter_async_context(open_store(settings))
        if demo:
            await _move_in(settings.routing, store)
        mind = await _mind(settings, store)
        platforms = await _connect(settings, store, stack)
        site = _site(settings, store, mind, platforms)
        group = await stack.enter_async_context(_cancelled_at_end())
        group.create_task(serve_http(site, socket), name="http")
        bells = _start(group, settings, store, platforms)
        await stack.enter_async_context(_awake(mind))
        _start_thinking(group, settings, store, mind, bells)
        _announce(settings, demo)
        await asyncio.Event().wait()


def _start(group: asyncio.TaskGroup, settings: Settings, store: Store, platforms: Mapping[str, Platform]) -> "_Bells":
    """What works without a model: hearing, saying, correcting, relaying."""
    bells, task = _Bells(), settings.routing
    courier = Courier(store.outbox, platforms, now)
    corrector = Corrector(task, store.ledger, platforms, now)
    relay = Relay(store.ledger, now)
    inbox = Receiver(store.ledger, settings.rhythm.settle, settings.rhythm.idle, bells.sorting.ring_in)
    for name, platform in platforms.items():
        _keep(group, f"hearing {name}", partial(platform.listen, inbox))
    _keep(group, "waking", partial(_ring_on_changes, store, bells))
    _keep(group, "delivering", partial(forever, courier.step, bells.delivering))
    _keep(group, "correcting", partial(forever, corrector.step, bells.correcting))
    _keep(group, "relaying", partial(forever, relay.step, bells.relaying))
    return bells


def _start_thinking(group: asyncio.TaskGroup, settings: Settings, store: Store, mind: Mind, bells: "_Bells") -> None:
    """What needs a model: sorting, remembering, learning, and looking after the model itself."""
    rhythm = settings.rhythm
    sorter = Sorter(settings.routing, store.ledger, mind.classifier, rhythm.settle, rhythm.patience, now)
    jobs = [(task.learning.schedule, partial(mind.learner.due, task)) for task in settings.tasks]
    _keep(group, "sorting", partial(forever, sorter.step, bells.sorting))
    _keep(group, "remembering", partial(forever, mind.rememberer.step, bells.remembering, at_most=30.0))
    _keep(group, "learning", partial(forever, mind.learner.step, bells.learning, at_most=30.0, grace=0.0))
    _keep(group, "schedule", partial(keep_schedule, jobs))
    if mind.server is not None:
        _keep(group, "model server", partial(mind.server.watch, mind.adapters.restore))


class _Bells:
    """One bell a step; any change in the database rings them all."""

    def __init__(self) -> None:
        self.sorting, self.delivering, self.correcting = Bell(), Bell(), Bell()
        self.relaying, self.remembering, self.learning = Bell(), Bell(), Bell()

    def ring(self) -> None:
        for bell in (
            self.sorting, self.delivering, self.correcting, self.relaying, self.remembering, self.learning
        ):  # fmt: skip
            bell.ring()


async def _ring_on_changes(store: Store, bells: _Bells) -> None:
    async with store.ledger.changes() as changes:
        async for _ in changes:
            bells.ring()


def _keep(group: asyncio.TaskGroup, name: str, run: Callable[[], Awaitable[None]]) -> None:
    group.create_task(keep_running(name, run), name=name)


@asynccontextmanager
async def _cancelled_at_end() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose tasks end with the context: nobody waits for what runs for ever."""
    async with asyncio.TaskGroup() as group:
        try:
            yield group
        finally:
            for task in group._tasks:
                task.cancel()


# --- the parts ---


@asynccontextmanager
async def _database_url(settings: Settings) -> AsyncIterator[str]:
    if settings.database.url is not None:
        yield settings.database.url
        return
    async with embedded(settings.database.directory) as url:
        yield url


async def _plant(settings: Settings, store: Store) -> None:
    """The settings' own examples: what a team of which nothing else is known is recognised by."""
    for task in settings.tasks:
        said = [(text, label.name) for label in task.labels for text in (label.means, *label.examples)]
        examples = [Example(text, label, Source.SEED, Side.TRAIN, _LONG_AGO) for text, label in said]
        await store.examples.add_examples(task.name, examples)


async def _move_in(task: Task, store: Store) -> None:
    """The demo company's examples, once."""
    examples = [
        Example(text, label, Source.SEED, side, _LONG_AGO)
        for file, side in ((company.SEED, Side.TRAIN), (company.HELD_OUT, Side.HELD_OUT))
        for text, label in company.read(file)
    ]
    await store.examples.add_examples(task.name, examples)


async def _mind(settings: Settings, store: Store) -> Mind:
    """Model, memory and workshop, connected but not yet awake. Raises UsageError when the base cannot be had."""
    folder = await asyncio.to_thread(base_folder, settings.model.base)
    prompts = await asyncio.to_thread(PromptBuilder, folder)
    server = None
    if settings.model.server is None:
        server = EmbeddedServer(ServerSettings(folder, settings.model.base, settings.model.runs.parent), _unseen)
        line = server.line
    else:
        line = open_line(settings.model.server)
    adapters = VllmAdapters(line)
    predictor = VllmPredictor(line, prompts, settings.model.base, adapters)
    embedder = _embedder(settings)
    classifier = Classifier(predictor, adapters, embedder, store.memory, store.registry, settings.model.base)
    learner = Learner(
        {task.name: task for task in settings.tasks},
        store.examples,
        store.registry,
        store.outbox,
        classifier,
        ProcessWorkshop(),
        settings.model.runs,
        folder,
        now,
    )
    return Mind(classifier, Rememberer(store.memory, embedder), learner, server, adapters)


@asynccontextmanager
async def _awake(mind: Mind) -> AsyncIterator[None]:
    raise NotImplementedError
    yield
