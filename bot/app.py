"""The composition root: settings become a running system. The only file that knows every concrete class."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot import findings
from bot.console import counting, say
from bot.demo import company
from bot.domain.errors import SwitchboardError, Unreachable
from bot.domain.insight import Erased
from bot.domain.learning import Adapter, Example, Progress, Side, Source
from bot.domain.messages import Person
from bot.domain.ports import Platform
from bot.domain.tasks import Task
from bot.flow.classify import Classifier
from bot.flow.desk import FrontDesk
from bot.flow.learn import Learner
from bot.flow.remember import Rememberer
from bot.platforms import Finding, Surroundings, kinds
from bot.settings import Settings, load
from db.backup import dump, restore
from db.embedded import embedded
from db.engine import Database, open_database
from db.erasure import PostgresErasure
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
from inference.seed import starter_seed
from inference.server import EmbeddedServer
from inference.workshop import ProcessWorkshop

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When the settings' own examples were said: anything newer outweighs them."""


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
    erasure: PostgresErasure


@dataclass(frozen=True, slots=True)
class Mind:
    """Everything that thinks."""

    classifier: Classifier
    rememberer: Rememberer
    learner: Learner
    server: EmbeddedServer | None
    """None: somebody else runs it."""
    adapters: VllmAdapters


def demo_settings(home: Path) -> Settings:
    """The demo company's settings, keeping what it stores under `home`."""
    return load(company.SETTINGS, home=home)


async def migrate(settings: Settings) -> None:
    """The database to the newest schema, under a lock."""
    async with _database_url(settings) as url:
        await asyncio.to_thread(upgrade, url)
    say("the database is at the newest schema")


async def backup(settings: Settings, file: Path) -> None:
    """Everything in the database into one file, while the bot goes on working. Raises UsageError."""
    async with _database_url(settings) as url:
        await asyncio.to_thread(dump, url, file)
    say(f"{file} holds the whole database; adapters are files under {settings.model.runs}, copy them too")


async def bring_back(settings: Settings, file: Path) -> None:
    """The database as the file has it, or unchanged. Stop the bot first. Raises UsageError."""
    async with _database_url(settings) as url:
        await asyncio.to_thread(restore, url, file)
        await asyncio.to_thread(upgrade, url)
    say(f"the database is what {file} holds")


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
                PostgresErasure(database),
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
        mind = await build_mind(settings, store, stack)
        await stack.enter_async_context(awake(settings, store, mind))
        if waiting := await store.memory.count_unembedded(store.embedder.name):
            with counting("remembering", waiting) as told:
                await rememberer(store).all(told)
        yield store, mind


async def forget(settings: Settings, person: Person) -> Erased:
    """Their words leave the database; their cards are rewritten as soon as the bot runs. Again changes nothing."""
    async with open_store(settings) as store:
        return await store.erasure.erase(person, now())


async def check(settings: Settings, which: str | None, live: bool) -> AsyncIterator[tuple[str, Finding]]:
    """(part, what was found out), the database first and the model last; one platform alone if it is named."""
    answers = "the database answers"
    try:
        async with open_store(settings) as store:
            if which is None:
                yield "database", Finding(answers, True)
            configs = {name: config for name, config in settings.platforms.items() if which in (None, name)}
            async for found in findings.of_platforms(configs, surroundings(settings, store), live):
                yield found
    except SwitchboardError as error:
        yield "database", Finding(answers, False, str(error))
        return
    if which is None:
        yield "model", await findings.of_the_model(settings.routing, lambda: _classifier(settings))


@asynccontextmanager
async def _classifier(settings: Settings) -> AsyncIterator[Classifier]:
    async with open_mind(settings) as (_, mind):
        await mind.adapters.loaded()  # where nothing is trained yet the model is not asked: is it there at all?
        yield mind.classifier


def rememberer(store: Store) -> Rememberer:
    """What gives examples their place in the memory; needs no model server."""
    return Rememberer(store.memory, store.embedder)


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


async def build_mind(settings: Settings, store: Store, stack: AsyncExitStack) -> Mind:
    """Model, memory and workshop, connected but not awake. Raises UsageError when the base model cannot be had."""
    model = settings.model
    folder = await asyncio.to_thread(base_folder, model.base)
    prompts = await asyncio.to_thread(PromptBuilder, folder)
    server = None
    if model.server is None:
        server = EmbeddedServer(ServerSettings(folder, model.base, model.runs.parent), spoken())
        line = server.line
    else:
        line = await stack.enter_async_context(open_line(model.server))
    adapters = VllmAdapters(line, folder)
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
async def awake(settings: Settings, store: Store, mind: Mind, with_seed: bool = True) -> AsyncIterator[None]:
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
                await _load(mind, query.adapter)
        yield


async def _load(mind: Mind, adapter: Adapter) -> None:
    """A server that is down is no reason not to start: decisions say so, and it is loaded with the first question."""
    try:
        await mind.adapters.load(adapter)
    except Unreachable as error:
        say(f"{error}; until it answers, the memory and the fallback decide")


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


def surroundings(settings: Settings, store: Store) -> Surroundings:
    """What platforms may look at besides their own settings."""
    task, base = settings.routing, settings.model.base
    return Surroundings(
        task=task,
        languages=settings.languages,
        base=base,
        vocabulary=settings.vocabulary,
        ledger=store.ledger,
        desk=FrontDesk(task, base, store.insight, store.registry, store.ledger, store.erasure, now),
        transcript=store.transcript,
        registry=store.registry,
        examples=store.examples,
    )


async def connect_platforms(settings: Settings, store: Store, stack: AsyncExitStack) -> dict[str, Platform]:
    """Every platform of the settings, ready to speak. Raises Refused naming the token that is no good."""
    around, known = surroundings(settings, store), kinds()
    return {
        name: await stack.enter_async_context(known[name].connect(config, around))
        for name, config in settings.platforms.items()
    }


def spoken() -> Progress:
    """Progress of the model server for the person at the terminal: what it does, said once."""
    said: set[str] = set()

    def tell(_share: float, doing: str) -> None:
        what = doing.partition(" (")[0]
        if what not in said:
            said.add(what)
            say(f"{what} …")

    return tell
