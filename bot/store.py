"""Everything that is stored, opened: the database at its newest schema, and what needs nothing but the database."""

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
"""The time that the demo company's examples bear: anything newer outweighs them."""


def now() -> datetime:
    """The time by the database's clock, once it is known (`db.shared_clock`)."""
    return SHARED.now()


@dataclass(frozen=True, slots=True)
class Store:
    """The opened database, and the ports on it."""

    database: Database
    embedder: OpenEmbedder
    """Its name marks every stored vector."""
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
    """Connections of their own for health and figures: a busy pool must not look like a database that is down."""
    figures: PostgresQueries


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """Open the database, at its newest schema, with the settings' examples in it. Raises Unreachable or UsageError."""
    async with database_url(settings) as url:
        await asyncio.to_thread(upgrade, url)
        async with open_database(url) as database, open_database(url, pool_size=2) as aside:
            await claim_database(database, settings.workspace)
            embedder = open_embedder(settings.model.embedder, settings.languages)
            guards = {task.name: task.learning.guards for task in settings.tasks}
            store = Store(
                database,
                embedder,
                PostgresLedger(database, embedder.name, guards),
                PostgresOutbox(database),
                PostgresTranscript(database),
                PostgresVoiceLessons(database),
                PostgresMemory(database, embedder.name, guards, now),
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
    """Store the settings' examples, and withdraw those that they no longer hold: with them a new team is recognised.

    Called at every start, and whenever the settings are read anew.
    """
    topics = [label for task in settings.tasks if task.asks_topics for label in task.labels]
    for task in settings.tasks:
        said = [(text, label.name) for label in task.labels for text in (label.means, *label.examples)]
        if task.routes:  # an example of a team's topic is one of the team, too, as in a file of topics
            said += [(text, topic.team) for topic in topics for text in (topic.means, *topic.examples)]
        examples = [Example(text, label, Source.SETTINGS, Side.TRAIN, now()) for text, label in said]
        await store.examples.sync_settings(task.name, examples, now())


async def load_demo_examples(task: Task, store: Store) -> None:
    """Store the demo company's examples, once."""
    examples = [
        Example(text, label, Source.SEED, side, _LONG_AGO)
        for file, side in ((company.SEED, Side.TRAIN), (company.HELD_OUT, Side.HELD_OUT))
        for text, label in company.read(file)
    ]
    await store.examples.add_examples(task.name, examples)


def unlearner(settings: Settings, store: Store) -> Unlearner:
    """Stops adapters from serving whose time is over. Needs no model server."""
    texts = RunFolders(settings.model.runs)
    return Unlearner(settings.tasks, settings.model.base, PostgresUnlearning(store.database), texts, now)


def embedding_backfill(store: Store) -> EmbeddingBackfill:
    """Gives examples their place in the memory. Needs no model server."""
    return EmbeddingBackfill(store.memory, store.embedder, store.failures, now)


def reviewer(store: Store, loads: bool = False) -> Reviewer:
    """Reviews the past weeks. Needs no model server. `loads`: this process does not hold the memory otherwise."""
    load = store.memory.load if loads else None
    return Reviewer(PostgresOutcomes(store.database), store.memory, store.embedder.name, now, load)


def shadows(store: Store) -> Shadows:
    """The candidates in the shadow, and what they would have decided."""
    return PostgresShadows(store.database, store.registry)


def shadow_cards(settings: Settings, store: Store) -> ShadowCards:
    """The cards that show leads a candidate in the shadow, and the presses on them."""
    return PostgresShadowCards(store.database, settings.model.base)


def silent_signals(store: Store) -> SilentSignals:
    """What people show without saying it."""
    return PostgresSilentSignals(store.database)


def canaries(store: Store) -> Canaries:
    """The adapters that serve a share of the requests first, and how their trials end."""
    return PostgresCanaries(store.database, store.registry)
