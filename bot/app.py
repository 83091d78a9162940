"""The composition root: settings become a running system. The only file that knows every concrete class."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot.catch_up import catch_up
from bot.check import of_asking, of_platforms, of_the_model, of_the_schedule, of_the_teams
from bot.console import counting, said_once, say
from bot.database import database_url
from bot.demo import company
from bot.domain.errors import Refused, SwitchboardError, Unreachable
from bot.domain.learning import Adapter, Example, Side, Source
from bot.domain.messages import Person
from bot.domain.mixture import Mixture
from bot.domain.model_ports import OpenEmbedder
from bot.domain.ports import Platform
from bot.domain.queries import Erased, Erasure
from bot.domain.shadow import Shadows
from bot.domain.tasks import Task
from bot.flow.chat_commands import ChatCommandHandler
from bot.flow.classify import Classifier
from bot.flow.embed import EmbeddingBackfill
from bot.flow.estimate import TrainingEstimator
from bot.flow.fit_voices import VoiceFitter
from bot.flow.forget import Forgetter, Unlearner
from bot.flow.learn import Learner
from bot.flow.let_go import LetGo
from bot.flow.review import Reviewer
from bot.flow.score import Scorer
from bot.platforms import Finding, PlatformContext, platform_modules
from bot.settings import Settings, load
from db.adapter_paths import AdapterPaths
from db.corrections import PostgresCorrections
from db.engine import Database, open_database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.migrate import upgrade
from db.outbox import PostgresOutbox
from db.outcomes import PostgresOutcomes
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from db.server.probe import probed
from db.shadow import PostgresShadows
from db.team_changes import PostgresTeamChanges
from db.transcript import PostgresTranscript
from db.unlearning import PostgresUnlearning
from db.voice_lessons import PostgresVoiceLessons
from inference.adapters import VllmAdapters
from inference.base_models import base_folder
from inference.circuit_breaker import CircuitBreaker
from inference.client import VllmPredictor
from inference.embedders.choose import open_embedder
from inference.http import open_line
from inference.languages import language_of
from inference.prompt import PromptBuilder
from inference.run_folder import RunFolders
from inference.seed import STARTER_ADAPTERS, starter_seed
from inference.server import EmbeddedServer
from inference.server_command import ServerSettings
from inference.trainer_process import TrainerProcess
from inference.training_probe_process import ProbeProcess

log = logging.getLogger(__name__)

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When the demo company's examples were said: anything newer outweighs them."""
_LOAD_SECONDS = 10.0
"""So long a start waits for a champion to be loaded; the first question loads it otherwise."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that is remembered."""

    database: Database
    embedder: OpenEmbedder
    """Its name marks every vector that is stored."""
    ledger: PostgresLedger
    outbox: PostgresOutbox
    transcript: PostgresTranscript
    lessons: PostgresVoiceLessons
    memory: PostgresMemory
    examples: PostgresExamples
    registry: PostgresRegistry
    queries: PostgresQueries
    erasure: Erasure
    failures: PostgresFailedItems
    team_changes: PostgresTeamChanges
    corrections: PostgresCorrections
    aside: Database
    """Connections of their own for health and figures: a pool that is busy is no database that is down."""
    figures: PostgresQueries


@dataclass(frozen=True, slots=True)
class ModelStack:
    """Everything that thinks."""

    classifier: Classifier
    embedding_backfill: EmbeddingBackfill
    voice_fitter: VoiceFitter
    learner: Learner
    server: EmbeddedServer | None
    """None: somebody else runs it."""
    adapters: VllmAdapters
    breaker: CircuitBreaker = field(default_factory=lambda: CircuitBreaker("model server"))
    """Before the questions of people who wait."""


def demo_settings(home: Path) -> Settings:
    """The demo company's settings, keeping what it stores under `home`."""
    return load(company.SETTINGS, home=home)


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The database, at its newest schema, with the settings' examples in it. Raises Unreachable or UsageError."""
    async with database_url(settings) as url:
        await asyncio.to_thread(upgrade, url)
        async with open_database(url) as database, open_database(url, pool_size=2) as aside:
            embedder = open_embedder(settings.model.embedder, settings.languages)
            store = Store(
                database,
                embedder,
                PostgresLedger(database, embedder.name, {task.name: task.learning.guards for task in settings.tasks}),
                PostgresOutbox(database),
                PostgresTranscript(database),
                PostgresVoiceLessons(database),
                PostgresMemory(database, embedder.name),
                PostgresExamples(database),
                PostgresRegistry(database, AdapterPaths(settings.model.runs, STARTER_ADAPTERS)),
                PostgresQueries(database),
                Forgetter(PostgresErasure(database, settings.unlearn_within), RunFolders(settings.model.runs)),
                PostgresFailedItems(database),
                PostgresTeamChanges(database),
                PostgresCorrections(database),
                aside,
                PostgresQueries(aside),
            )
            await sync_settings_examples(settings, store)
            try:
                yield store
            finally:
                await embedder.close()


@asynccontextmanager
async def open_model_stack(
    settings: Settings, asked_much: Task | None = None
) -> AsyncIterator[tuple[Store, ModelStack]]:
    """Database and model, ready to classify: what the commands need.

    `asked_much` is a task of which many texts will be asked: its memory is held here, thirty times as fast for batches.
    None: one question, answered as a bot that runs here would now.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        models = await build_model_stack(settings, store, stack)
        await stack.enter_async_context(model_running(settings, store, models))
        waiting = await store.memory.count_unembedded(store.embedder.name)
        busy = asked_much is None and models.server is not None and models.server.joined
        await catch_up(waiting, busy, partial(_remember, store, waiting), models.voice_fitter.step)
        if asked_much is not None:
            await store.memory.load(asked_much)
        yield store, models


async def _remember(store: Store, waiting: int) -> None:
    with counting("remembering", waiting) as told:
        await embedding_backfill(store).all(told)


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
                async for works in probed(store.database):
                    yield "database", Finding(works, True)
                async for deaf in of_the_teams(settings.tasks, store.team_changes):
                    yield "teams", deaf
                for task in settings.tasks:
                    yield "schedule", of_the_schedule(task, now())
                    if asks := await of_asking(task, settings.model.base, store.registry):
                        yield "asking", asks
            configs = {name: config for name, config in settings.platforms.items() if which in (None, name)}
            async for found in of_platforms(configs, platform_context(settings, store), live):
                yield found
    except SwitchboardError as error:
        yield "database", Finding(answers, False, str(error))
        return
    if which is None:
        yield "model", await of_the_model(settings.routing, lambda: _classifier(settings))


@asynccontextmanager
async def _classifier(settings: Settings) -> AsyncIterator[Classifier]:
    async with open_model_stack(settings) as (_, models):
        await models.adapters.loaded()  # where nothing is trained yet the model is not asked: is it there at all?
        try:
            await champions_fit(settings, models)
        except Refused as error:
            mend = f"copy its folder to {settings.model.runs}, or let another serve: switchboard rollback"
            raise Refused(f"{error}; {mend}") from error
        yield models.classifier


async def champions_fit(settings: Settings, models: ModelStack) -> None:
    """Raises Refused, naming it, where the files of an adapter that serves are missing or fit another model."""
    for task in settings.tasks:
        query = await models.classifier.query(task)
        if query.adapter is not None:
            await models.adapters.examine(query.adapter)


def unlearner(settings: Settings, store: Store) -> Unlearner:
    """What stops adapters from serving whose time is over; needs no model server."""
    return Unlearner(settings.tasks, settings.model.base, PostgresUnlearning(store.database), now)


def embedding_backfill(store: Store) -> EmbeddingBackfill:
    """What gives examples their place in the memory; needs no model server."""
    return EmbeddingBackfill(store.memory, store.embedder, store.failures, now)


def reviewer(store: Store) -> Reviewer:
    """What says what there is to say of the past weeks; needs no model server."""
    return Reviewer(PostgresOutcomes(store.database), store.memory, store.embedder.name, now)


# --- the parts ---


async def sync_settings_examples(settings: Settings, store: Store) -> None:
    """What the settings say counts, and no longer what they said: a team is recognised by it before anything is known.

    At every start, and whenever the settings are read anew.
    """
    for task in settings.tasks:
        said = [(text, label.name) for label in task.labels for text in (label.means, *label.examples)]
        examples = [Example(text, label, Source.SETTINGS, Side.TRAIN, now()) for text, label in said]
        await store.examples.sync_settings(task.name, examples, now())


async def load_demo_examples(task: Task, store: Store) -> None:
    """The demo company's examples, once."""
    examples = [
        Example(text, label, Source.SEED, side, _LONG_AGO)
        for file, side in ((company.SEED, Side.TRAIN), (company.HELD_OUT, Side.HELD_OUT))
        for text, label in company.read(file)
    ]
    await store.examples.add_examples(task.name, examples)


async def build_model_stack(settings: Settings, store: Store, stack: AsyncExitStack) -> ModelStack:
    """Model, memory and workshop, connected but not awake. Raises UsageError when the base model cannot be had."""
    model = settings.model
    folder = await asyncio.to_thread(base_folder, model.base)
    prompts = await asyncio.to_thread(PromptBuilder, folder)
    server = None
    if model.server is None:
        server = EmbeddedServer(ServerSettings(folder, model.base, model.runs.parent), said_once())
        line = server.line
    else:
        line = await stack.enter_async_context(open_line(model.server))
    adapters = VllmAdapters(line, folder)
    predictor = VllmPredictor(line, prompts, model.base, adapters)
    from inference.voices.fitted import FittedVoices  # with scikit-learn, which most commands can do without

    voices = FittedVoices(model.runs.parent / "voices", store.embedder.name)
    fitter = VoiceFitter(settings.tasks, store.lessons, voices, store.embedder.name)
    classifier = Classifier(
        predictor,
        store.embedder,
        store.memory,
        store.registry,
        model.base,
        fitted=voices,
        deadline=model.deadline,
        language_of=language_of,
    )
    learner = Learner(
        {task.name: task for task in settings.tasks},
        store.examples,
        store.registry,
        Scorer(classifier),
        adapters,
        TrainerProcess(),
        *(model.runs, folder, now),
        *(fitter, LetGo(store.corrections), RunFolders(model.runs)),
        TrainingEstimator(ProbeProcess(), classifier, store.examples, folder),
    )
    return ModelStack(classifier, embedding_backfill(store), fitter, learner, server, adapters, predictor.breaker)


def shadows(store: Store) -> Shadows:
    """The candidate in the shadow, and what it would have done."""
    return PostgresShadows(store.database, store.registry)


@asynccontextmanager
async def model_running(
    settings: Settings, store: Store, models: ModelStack, with_seed: bool = True
) -> AsyncIterator[None]:
    """The model server runs, the embedder is warm, and the champions are loaded."""
    async with AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as waking:
            waking.create_task(store.embedder.warm(), name="warm the embedder")
            waking.create_task(asyncio.to_thread(language_of, "hello"), name="read the languages")
            if models.server is not None:
                await stack.enter_async_context(models.server)
        if with_seed:
            await adopt_starter_seed(settings, store)
        for task in settings.tasks:
            query = await models.classifier.query(task)
            if query.adapter is not None:
                await _load(models, query.adapter)
        yield


async def _load(models: ModelStack, adapter: Adapter) -> None:
    """No reason not to start: decisions say so, and it is loaded with the first question that it can be asked."""
    try:
        async with asyncio.timeout(_LOAD_SECONDS):
            await models.adapters.load(adapter)
    except (Unreachable, TimeoutError) as error:
        problem = str(error) or f"the model server did not take {adapter.name} within {_LOAD_SECONDS:g} s"
        say(f"{problem}; until it answers, the other voices decide")
    except Refused as error:
        log.error("adapter cannot serve", extra={"adapter": adapter.name, "problem": str(error)})
        say(f"{error}; until it can, the other voices decide")


async def adopt_starter_seed(settings: Settings, store: Store) -> None:
    """The starter brings an adapter for the demo company's teams. It serves who has the same ones, until a better."""
    task, base = settings.routing, settings.model.base
    grown = starter_seed()
    if base != "starter" or grown is None or set(grown.codes) != set(task.names):
        return
    if await store.registry.champion(task.name, base) is None:
        name = f"{task.name}-seed"
        await store.registry.adopt_codes(task.name, base, grown.codes)
        mixture = Mixture(grown.weights, proved=grown.proved, scope=grown.scope)
        await store.registry.add_adapter(
            Adapter(name, task.name, grown.folder, base, grown.codes, grown.temperature, grown.made, mixture)
        )
        await store.registry.promote(task.name, name, "starter", "comes with the starter", now(), base=base)


def platform_context(settings: Settings, store: Store) -> PlatformContext:
    """What platforms may look at besides their own settings."""
    task, base = settings.routing, settings.model.base
    return PlatformContext(
        task=task,
        languages=settings.languages,
        base=base,
        vocabulary=settings.vocabulary,
        ledger=store.ledger,
        chat_commands=ChatCommandHandler(task, base, store.queries, store.registry, store.ledger, store.erasure, now),
        transcript=store.transcript,
        registry=store.registry,
        examples=store.examples,
    )


async def connect_platforms(settings: Settings, store: Store, stack: AsyncExitStack) -> dict[str, Platform]:
    """Every platform of the settings, ready to speak. Raises Refused naming the token that is no good."""
    around, known = platform_context(settings, store), platform_modules()
    return {
        name: await stack.enter_async_context(known[name].connect(config, around))
        for name, config in settings.platforms.items()
    }
