"""Builds and runs the models: model server, voices, what learns, and the adapter that comes with the starter."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.catch_up import catch_up
from bot.console import counting, said_once, say
from bot.domain.errors import Refused, Unreachable
from bot.domain.learning import Adapter
from bot.domain.mixture import Mixture
from bot.domain.suggestions import SolvedRequests
from bot.domain.tasks import Task
from bot.flow.classify import Classifier
from bot.flow.embed import EmbeddingBackfill
from bot.flow.estimate import TrainingEstimator
from bot.flow.fit_voices import VoiceFitter
from bot.flow.learn import Learner
from bot.flow.let_go import LetGo
from bot.flow.score import Scorer
from bot.http.model_figures import ModelFigures
from bot.settings import Settings
from bot.store import Store, embedding_backfill, now, open_store, silent_signals
from db.solved_requests import PostgresSolvedRequests
from inference.adapter_delivery import delivery
from inference.adapters import VllmAdapters
from inference.base_models import base_folder
from inference.circuit_breaker import CircuitBreaker
from inference.client import VllmPredictor
from inference.http import open_line
from inference.languages import language_of
from inference.prompt import PromptBuilder
from inference.ray_process import ray_trainer
from inference.replicas import Replicas
from inference.run_folder import RunFolders
from inference.seed import starter_seed
from inference.server import EmbeddedServer
from inference.server_command import ServerSettings
from inference.trainer_process import TrainerProcess
from inference.training_probe_process import ProbeProcess

log = logging.getLogger(__name__)

_LOAD_SECONDS = 10.0
"""How long a start waits for a champion to be loaded; after that its first question loads it."""


@dataclass(frozen=True, slots=True)
class ModelStack:
    """All models, and what learns."""

    classifier: Classifier
    embedding_backfill: EmbeddingBackfill
    voice_fitter: VoiceFitter
    learner: Learner
    server: EmbeddedServer | None
    """None: the settings name servers that somebody else runs."""
    adapters: VllmAdapters | Replicas
    figures: ModelFigures = field(default_factory=ModelFigures)
    history: SolvedRequests | None = None
    """What similar requests were solved with, for questions that suggest."""
    breaker: CircuitBreaker = field(default_factory=lambda: CircuitBreaker("model server"))
    """Guards the questions of people who wait."""


@asynccontextmanager
async def open_model_stack(
    settings: Settings, asked_much: Task | None = None, first: Callable[[Store], Awaitable[None]] | None = None
) -> AsyncIterator[tuple[Store, ModelStack]]:
    """Database and model, ready to classify, for commands.

    `asked_much` is a task that will be asked about many texts: its memory is loaded into this process, which makes
    batches thirty times as fast. None: one question, answered as a bot that runs here would answer it now. `first` is
    done before the model is loaded and its server started, which take half a minute: it raises what a command refuses.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        if first is not None:
            await first(store)
        models = await build_model_stack(settings, store, stack)
        await stack.enter_async_context(model_ready(settings, store, models, asked_much))
        yield store, models


@asynccontextmanager
async def model_ready(
    settings: Settings, store: Store, models: ModelStack, asked_much: Task | None
) -> AsyncIterator[None]:
    """Run the model server, with every known example embedded; see `open_model_stack`."""
    async with model_running(settings, store, models):
        waiting = await store.memory.count_unembedded(store.embedder.name)
        busy = asked_much is None and models.server is not None and models.server.joined
        await catch_up(waiting, busy, partial(_remember, store, waiting), models.voice_fitter.step)
        if asked_much is not None:
            await store.memory.load(asked_much)
        yield


async def _remember(store: Store, waiting: int) -> None:
    with counting("remembering", waiting) as told:
        await embedding_backfill(store).all(told)


def _own_server(settings: Settings, folder: Path) -> EmbeddedServer:
    home = settings.model.server_folder or settings.model.runs.parent
    return EmbeddedServer(ServerSettings(folder, settings.model.base, home), said_once())


def _trainer(settings: Settings) -> TrainerProcess:
    cluster, mask = settings.training, settings.mask_training
    if cluster is None:
        return TrainerProcess(mask=mask)
    return ray_trainer(cluster.address, settings.model.base, cluster.cpus, cluster.gpus, mask)


async def build_model_stack(settings: Settings, store: Store, stack: AsyncExitStack) -> ModelStack:
    """Model, memory and workshop, connected but not started. Raises UsageError when the base model cannot be had."""
    model = settings.model
    folder = await asyncio.to_thread(base_folder, model.base)
    prompts = await asyncio.to_thread(PromptBuilder, folder)
    server = None if model.server else _own_server(settings, folder)
    figures = ModelFigures()
    adapters = await _adapters(settings, server, folder, figures, stack)
    predictor = VllmPredictor(prompts, model.base, adapters)
    from inference.voices.fitted import FittedVoices  # imports scikit-learn, which most commands do not need

    voices = FittedVoices(model.runs.parent / "voices", store.embedder.name)
    await voices.remove_left()
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
        heard=figures.heard,
    )
    learner = Learner(
        {task.name: task for task in settings.tasks},
        store.examples,
        store.registry,
        Scorer(classifier),
        adapters,
        _trainer(settings),
        *(model.runs, folder, now),
        *(fitter, LetGo(store.corrections), RunFolders(model.runs)),
        None if settings.training else TrainingEstimator(ProbeProcess(), classifier, store.examples, folder),
        silent_signals(store),
    )
    more = embedding_backfill(store), fitter, learner, server, adapters, figures
    history = PostgresSolvedRequests(store.database, store.embedder.name)
    return ModelStack(classifier, *more, history, predictor.breaker)


async def _adapters(
    settings: Settings, server: EmbeddedServer | None, folder: Path, figures: ModelFigures, stack: AsyncExitStack
) -> VllmAdapters | Replicas:
    """The adapters of our own server, or of all servers that the settings name. Raises ConfigError."""
    settings.demand("model")
    model, lines = settings.model, [server.line] if server else []
    for address in () if server else model.servers:
        lines.append(await stack.enter_async_context(open_line(address, key=model.key)))
    way = delivery(model.server_adapters, model.runs)
    servers = [VllmAdapters(line, folder, way, settings.workspace, figures.saw) for line in lines]
    return servers[0] if len(servers) == 1 else Replicas(servers)


@asynccontextmanager
async def model_running(
    settings: Settings, store: Store, models: ModelStack, with_seed: bool = True
) -> AsyncIterator[None]:
    """Run the model server, with a warm embedder and the champions loaded."""
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
    """Load an adapter. A failure does not stop the start: decisions show it, and the first question tries again."""
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
    """Adopt the adapter that comes with the starter, if it fits the task's teams; it serves until a better one does."""
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


async def champions_fit(settings: Settings, models: ModelStack) -> None:
    """Raise Refused, naming the adapter, where the files of one that serves are missing or fit another model."""
    for task in settings.tasks:
        query = await models.classifier.query(task)
        if query.adapter is not None:
            await models.adapters.examine(query.adapter)
