"""Everything that is remembered, opened: the database at its newest schema, and what is built upon it alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.database import database_url
from bot.demo import company
from bot.domain.canary import Canaries
from bot.domain.learning import Example, Side, Source
from bot.domain.model_ports import OpenEmbedder
from bot.domain.queries import Erasure
from bot.domain.shadow import Shadows
from bot.domain.shadow_card import ShadowCards
from bot.domain.silent_signals import SilentSignals
from bot.domain.tasks import Task
from bot.flow.embed import EmbeddingBackfill
from bot.flow.forget import Forgetter, Unlearner
from bot.flow.review import Reviewer
from bot.settings import Settings
from db.adapter_paths import AdapterPaths
from db.canaries import PostgresCanaries
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
from db.shadow import PostgresShadows
from db.shadow_cards import PostgresShadowCards
from db.shared_clock import SHARED
from db.silent_signals import PostgresSilentSignals
from db.team_changes import PostgresTeamChanges
from db.transcript import PostgresTranscript
from db.unlearning import PostgresUnlearning
from db.voice_lessons import PostgresVoiceLessons
from db.workspace_mark import claim_database
from inference.embedders.choose import open_embedder
from inference.run_folder import RunFolders
from inference.seed import STARTER_ADAPTERS

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When the demo company's examples were said: anything newer outweighs them."""


def now() -> datetime:
    """By the clock of the database, once it was heard (`db.shared_clock`)."""
    return SHARED.now()


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


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The database, at its newest schema, with the settings' examples in it. Raises Unreachable or UsageError."""
    async with database_url(settings) as url:
        await asyncio.to_thread(upgrade, url)
        async with open_database(url) as database, open_database(url, pool_size=2) as aside:
            await claim_database(database, settings.workspace)
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
                Forgetter(
                    PostgresErasure(database, settings.unlearn_within),
                    PostgresUnlearning(database),
                    RunFolders(settings.model.runs),
                ),
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


async def sync_settings_examples(settings: Settings, store: Store) -> None:
    """What the settings say counts, and no longer what they said: a team is recognised by it before anything is known.

    At every start, and whenever the settings are read anew.
    """
    topics = [label for task in settings.tasks if task.asks_topics for label in task.labels]
    for task in settings.tasks:
        said = [(text, label.name) for label in task.labels for text in (label.means, *label.examples)]
        if task.routes:  # what is said of a team's topics is said of the team, as a file of topics teaches both
            said += [(text, topic.team) for topic in topics for text in (topic.means, *topic.examples)]
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


def unlearner(settings: Settings, store: Store) -> Unlearner:
    """What stops adapters from serving whose time is over; needs no model server."""
    texts = RunFolders(settings.model.runs)
    return Unlearner(settings.tasks, settings.model.base, PostgresUnlearning(store.database), texts, now)


def embedding_backfill(store: Store) -> EmbeddingBackfill:
    """What gives examples their place in the memory; needs no model server."""
    return EmbeddingBackfill(store.memory, store.embedder, store.failures, now)


def reviewer(store: Store) -> Reviewer:
    """What says what there is to say of the past weeks; needs no model server."""
    return Reviewer(PostgresOutcomes(store.database), store.memory, store.embedder.name, now)


def shadows(store: Store) -> Shadows:
    """The candidate in the shadow, and what it would have done."""
    return PostgresShadows(store.database, store.registry)


def shadow_cards(settings: Settings, store: Store) -> ShadowCards:
    """What leads are told of candidates in the shadow, and what they say to that."""
    return PostgresShadowCards(store.database, settings.model.base)


def silent_signals(store: Store) -> SilentSignals:
    """What people show without saying it."""
    return PostgresSilentSignals(store.database)


def canaries(store: Store) -> Canaries:
    """Who serves a share of the requests first, and how that ends."""
    return PostgresCanaries(store.database, store.registry)
