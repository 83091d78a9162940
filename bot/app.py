"""The composition root: settings become a running system. The only file that knows every concrete class."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from starlette.applications import Starlette

from bot.console import say
from bot.demo import company
from bot.domain.errors import SwitchboardError, TrainingFailed
from bot.domain.learning import Adapter, Example, Progress, Side, Source, Verdict
from bot.domain.ports import Change, Platform
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
from bot.lifecycle import Bells, forever, keep_running, until_signal
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
from inference.adapters import VllmAdapters
from inference.bases import base_folder
from inference.client import VllmPredictor
from inference.command import ServerSettings
from inference.embed import LocalEmbedder, UrlEmbedder
from inference.line import open_line
from inference.prompt import PromptBuilder
from inference.seed import starter_seed, write_seed
from inference.server import EmbeddedServer
from inference.workshop import ProcessWorkshop

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When the settings' own examples were said: anything newer outweighs them."""


_CONCERNS: Mapping[str, frozenset[Change]] = {
    "delivering": frozenset({Change.OWED}),
    "sorting": frozenset({Change.MESSAGE, Change.NEXT, Change.FREED}),
    "choosing": frozenset({Change.PRESS, Change.FREED}),
    "correcting": frozenset({Change.REACTION, Change.FREED}),
    "relaying": frozenset({Change.NEXT, Change.FREED}),
    "remembering": frozenset({Change.EXAMPLE}),
    "learning": frozenset({Change.CYCLE}),
}
"""Which steps a change wakes, first things first: a step that looks in vain takes time from one that has work.

What is rare (a reaction that overtook the receipt of its card, others' words before the decision) waits for the step's
own next look, a second at most.
"""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that is remembered."""

    database: Database
    embedder: LocalEmbedder | UrlEmbedder
    """Its name marks every vector that is stored."""
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
            embedder = _embedder(settings)
            store = Store(
                database,
                embedder,
                PostgresLedger(database, embedder.name),
                PostgresOutbox(database),
                PostgresTranscript(database),
                PostgresMemory(database, embedder.name),
                PostgresExamples(database),
                PostgresRegistry(database),
                PostgresInsight(database),
            )
            await _plant(settings, store)
            try:
                yield store
            finally:
                await embedder.close()


@asynccontextmanager
async def open_mind(settings: Settings) -> AsyncIterator[tuple[Store, Mind]]:
    """Database and model, ready to classify: what the commands need."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        mind = await _mind(settings, store, stack)
        await stack.enter_async_context(_awake(settings, store, mind))
        await rememberer(store).all(lambda _more: None)
        yield store, mind


def rememberer(store: Store) -> Rememberer:
    """What gives examples their place in the memory; needs no model server."""
    return Rememberer(store.memory, store.embedder)


async def grow_seed(home: Path) -> Verdict:
    """Train the adapter that the starter brings along, as any first adapter is trained, and put it in its place."""
    settings = demo_settings(home)
    task = settings.routing
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        await move_in(task, store)
        mind = await _mind(settings, store, stack)
        await stack.enter_async_context(_awake(settings, store, mind, with_seed=False))
        await rememberer(store).all(lambda _more: None)
        await store.registry.request_cycle(task.name, "grow", "grow", now())
        await mind.learner.step(_spoken())
        [cycle] = await store.registry.cycles(task.name, 1)
        champion = await store.registry.champion(task.name, settings.model.base)
        if cycle.verdict is None or champion is None:
            raise TrainingFailed(cycle.problem or "the first model is no better than guessing")
        write_seed(champion.path, champion.codes, champion.temperature)
        return cycle.verdict


async def serve(settings: Settings, demo: Demo | None = None) -> None:
    """The bot, until SIGINT or SIGTERM. Raises UsageError, Refused or Unreachable when it cannot start."""
    try:
        await until_signal(_serve(settings, demo))
    except* SwitchboardError as failed:
        raise failed.exceptions[0] from failed


async def _serve(settings: Settings, demo: Demo | None) -> None:
    """People are heard as soon as the database is up; what they write waits until the model is."""
    async with AsyncExitStack() as stack:
        socket = stack.enter_context(listening_socket(settings.web.host, settings.web.port))
        store = await stack.enter_async_context(open_store(settings))
        if demo:
            await move_in(settings.routing, store)
        mind = await _mind(settings, store, stack)
        platforms = await _connect(settings, store, stack)
        hearing = await stack.enter_async_context(asyncio.TaskGroup())
        hearing.create_task(serve_http(_site(store, mind, platforms), socket), name="http")
        bells = start_hearing(hearing, settings, store, platforms)
        await stack.enter_async_context(_awake(settings, store, mind))
        thinking = await stack.enter_async_context(asyncio.TaskGroup())
        start_thinking(thinking, settings, store, mind, bells)
        _announce(settings, demo)


def start_hearing(
    group: asyncio.TaskGroup, settings: Settings, store: Store, platforms: Mapping[str, Platform]
) -> Bells:
    """What works without a model: hearing, saying, correcting, relaying."""
    bells, rhythm = Bells(), settings.rhythm
    inbox = Receiver(store.ledger, rhythm.settle, rhythm.idle, bells["sorting"].ring_in)
    courier = Courier(store.outbox, platforms, now)
    corrector = Corrector(settings.routing, store.ledger, platforms, now)
    relay = Relay(store.ledger, now)
    for name, platform in platforms.items():
        _keep(group, f"hearing {name}", partial(platform.listen, inbox))
    _keep(group, "waking", partial(_ring_on_changes, store, bells))
    _keep(group, "delivering", partial(forever, courier.step, bells["delivering"]))
    _keep(group, "correcting", partial(forever, corrector.step, bells["correcting"]))
    _keep(group, "relaying", partial(forever, relay.step, bells["relaying"]))
    return bells


def start_thinking(group: asyncio.TaskGroup, settings: Settings, store: Store, mind: Mind, bells: Bells) -> None:
    """What needs a model: sorting, remembering, learning, and looking after the model itself."""
    rhythm = settings.rhythm
    sorter = Sorter(settings.routing, store.ledger, mind.classifier, rhythm.settle, rhythm.patience, now)
    jobs = [(task.learning.schedule, partial(mind.learner.due, task)) for task in settings.tasks]
    _keep(group, "sorting", partial(forever, sorter.step, bells["sorting"]))
    _keep(group, "choosing", partial(forever, sorter.choose, bells["choosing"]))
    _keep(group, "remembering", partial(forever, mind.rememberer.step, bells["remembering"]))
    _keep(group, "learning", partial(forever, mind.learner.step, bells["learning"], grace=0.0))
    _keep(group, "schedule", partial(keep_schedule, jobs))
    if mind.server is not None:
        _keep(group, "model server", partial(mind.server.watch, mind.adapters.restore))


def _keep(group: asyncio.TaskGroup, name: str, run: Callable[[], Awaitable[None]]) -> None:
    group.create_task(keep_running(name, run), name=name)


async def _ring_on_changes(store: Store, bells: Bells) -> None:
    async with store.ledger.changes() as heard:
        async for changes in heard:
            bells.ring(step for step, concerns in _CONCERNS.items() if concerns & changes)


def _announce(settings: Settings, demo: Demo | None) -> None:
    address = f"http://{settings.web.host}:{settings.web.port}"
    if demo is None:
        say(f"Switchboard runs on {', '.join(settings.platforms)}; health and metrics at {address}. Ctrl-C stops it.")
        return
    say(f"Open {address} and write as a customer. Ctrl-C stops everything; nothing is lost.")
    if demo.open_browser:
        webbrowser.open(address)


# --- the parts ---


@asynccontextmanager
async def _database_url(settings: Settings) -> AsyncIterator[str]:
    if settings.database.url is not None:
        yield settings.database.url
        return
    async with embedded(settings.database.directory) as url:
        yield url


async def _plant(settings: Settings, store: Store) -> None:
    """The settings' own examples: by them a team is recognised of which nothing else is known."""
    for task in settings.tasks:
        said = [(text, label.name) for label in task.labels for text in (label.means, *label.examples)]
        examples = [Example(text, label, Source.SEED, Side.TRAIN, _LONG_AGO) for text, label in said]
        await store.examples.add_examples(task.name, examples)


async def move_in(task: Task, store: Store) -> None:
    """The demo company's examples, once."""
    examples = [
        Example(text, label, Source.SEED, side, _LONG_AGO)
        for file, side in ((company.SEED, Side.TRAIN), (company.HELD_OUT, Side.HELD_OUT))
        for text, label in company.read(file)
    ]
    await store.examples.add_examples(task.name, examples)


async def _mind(settings: Settings, store: Store, stack: AsyncExitStack) -> Mind:
    """Model, memory and workshop, connected but not awake. Raises UsageError when the base model cannot be had."""
    model = settings.model
    folder = await asyncio.to_thread(base_folder, model.base)
    prompts = await asyncio.to_thread(PromptBuilder, folder)
    server = None
    if model.server is None:
        server = EmbeddedServer(ServerSettings(folder, model.base, model.runs.parent), _spoken())
        line = server.line
    else:
        line = await stack.enter_async_context(open_line(model.server))
    adapters = VllmAdapters(line)
    predictor = VllmPredictor(line, prompts, model.base, adapters)
    classifier = Classifier(predictor, store.embedder, store.memory, store.registry, model.base)
    learner = Learner(
        {task.name: task for task in settings.tasks},
        store.examples,
        store.registry,
        store.outbox,
        classifier,
        adapters,
        ProcessWorkshop(),
        model.runs,
        folder,
        now,
    )
    return Mind(classifier, rememberer(store), learner, server, adapters)


def _embedder(settings: Settings) -> LocalEmbedder | UrlEmbedder:
    """MODEL@URL is asked over HTTP; anything else runs in this process."""
    name = settings.model.embedder
    if "@http" in name:
        model, _, url = name.partition("@")
        return UrlEmbedder(open_line(url), model)
    return LocalEmbedder() if name == "bundled" else LocalEmbedder(name)


@asynccontextmanager
async def _awake(settings: Settings, store: Store, mind: Mind, with_seed: bool = True) -> AsyncIterator[None]:
    """The model server runs, the embedder is warm, and the champions are loaded."""
    async with AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as waking:
            waking.create_task(store.embedder.warm(), name="warm the embedder")
            if mind.server is not None:
                await stack.enter_async_context(mind.server)
        if with_seed:
            await _adopt(settings, store)
        for task in settings.tasks:
            query = await mind.classifier.query(task)
            if query.adapter is not None:
                await mind.adapters.load(query.adapter)
        yield


async def _adopt(settings: Settings, store: Store) -> None:
    """The starter brings an adapter for the demo company's teams. It serves who has the same ones, until a better."""
    task, base = settings.routing, settings.model.base
    grown = starter_seed()
    if base != "starter" or grown is None or set(grown.codes) != set(task.names):
        return
    if await store.registry.champion(task.name, base) is None:
        name = f"{task.name}-seed"
        await store.registry.adopt_codes(task.name, base, grown.codes)
        await store.registry.add_adapter(
            Adapter(name, task.name, grown.folder, base, grown.codes, grown.temperature, _LONG_AGO)
        )
        await store.registry.promote(task.name, name, "starter", "comes with the starter", now())


async def _connect(settings: Settings, store: Store, stack: AsyncExitStack) -> dict[str, Platform]:
    """Every platform of the settings, ready to speak. Raises Refused naming the token that is no good."""
    around = Surroundings(
        task=settings.routing,
        languages=settings.languages,
        base=settings.model.base,
        ledger=store.ledger,
        transcript=store.transcript,
        examples=store.examples,
        registry=store.registry,
    )
    known = kinds()
    return {
        name: await stack.enter_async_context(known[name].connect(config, around))
        for name, config in settings.platforms.items()
    }


def _site(store: Store, mind: Mind, platforms: Mapping[str, Platform]) -> Starlette:
    async def readiness() -> dict[str, bool]:
        parts = {name: platform.healthy() for name, platform in platforms.items()}
        return {
            "database": await _answers(store.database.ping()),
            "model": await _answers(mind.adapters.loaded()),
            **parts,
        }

    routes = [route for platform in platforms.values() if isinstance(platform, Routed) for route in platform.routes]
    return Doorway(readiness, Metrics(store.insight, now)).application(routes)


async def _answers(question: Awaitable[object]) -> bool:
    try:
        await question
    except SwitchboardError:
        return False
    return True


def _spoken() -> Progress:
    """Progress of the model server for the person at the terminal: what it does, said once."""
    said: set[str] = set()

    def tell(_share: float, doing: str) -> None:
        what = doing.partition(" (")[0]
        if what not in said:
            said.add(what)
            say(f"{what} …")

    return tell
