"""The steps as they run in a process, each woken by what concerns it; no test steps them by hand."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.app import demo_settings
from bot.commands import actions
from bot.domain.learning import Source
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.model_ports import OpenEmbedder
from bot.domain.ports import Inbox
from bot.domain.posts import NO, Card, Content, FollowUp, Reply, Sent, Solved
from bot.domain.tasks import Label, Task
from bot.flow.classify import Classifier
from bot.flow.fit_voices import VoiceFitter
from bot.flow.learn import Learner
from bot.flow.score import Scorer
from bot.model_stack import ModelStack, adopt_starter_seed
from bot.running import start_chat_steps, start_model_steps
from bot.store import Store, embedding_backfill, load_demo_examples, now, sync_settings_examples
from db.corrections import PostgresCorrections
from db.engine import Database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from db.team_changes import PostgresTeamChanges
from db.transcript import PostgresTranscript
from db.voice_lessons import PostgresVoiceLessons
from inference.adapters import VllmAdapters
from inference.voices.fitted import FittedVoices
from tests.fakes import FakeAdapters, FakeEmbedder, FakePlatform, FakePredictor, FakeWorkshop

CLEO = Person("web", "cleo", "Cleo", "en")
ADA = Person("web", "agent", "Ada")
HERS = MessageRef("web", "cleo", "1")
_PATIENCE = 30.0


class Chat(FakePlatform):
    """A chat in memory that provides its inbox, and can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: asyncio.Future[Inbox] = asyncio.get_running_loop().create_future()

    async def listen(self, inbox: Inbox) -> None:
        self.inbox.set_result(inbox)
        await asyncio.Event().wait()

    async def hears(self, wanted: Callable[[Content], bool]) -> MessageRef:
        """Wait for the post with this text; return its receipt."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                for item in self.said:
                    if wanted(item.post.content):
                        return item.edits or MessageRef("web", item.post.place.chat, f"post {item.id}")
                await asyncio.sleep(0.02)


def _store(database: Database) -> Store:
    embedder = FakeEmbedder()
    return Store(
        database,
        cast(OpenEmbedder, embedder),
        PostgresLedger(database, embedder.name),
        PostgresOutbox(database),
        PostgresTranscript(database),
        PostgresVoiceLessons(database),
        PostgresMemory(database, embedder.name),
        PostgresExamples(database),
        PostgresRegistry(database),
        PostgresQueries(database),
        PostgresErasure(database),
        PostgresFailedItems(database),
        PostgresTeamChanges(database),
        PostgresCorrections(database),
        database,
        PostgresQueries(database),
    )


def _mind(store: Store, folder: Path) -> ModelStack:
    classifier = Classifier(FakePredictor(), store.embedder, store.memory, store.registry, "starter")
    adapters = FakeAdapters()
    learner = Learner(
        {},
        store.examples,
        store.registry,
        Scorer(classifier, pauses=()),
        adapters,
        FakeWorkshop(),
        folder,
        folder,
        now,
    )
    voices = FittedVoices(folder / "voices", store.embedder.name)
    fitter = VoiceFitter((), store.lessons, voices, store.embedder.name)
    return ModelStack(classifier, embedding_backfill(store), fitter, learner, None, cast(VllmAdapters, adapters))


@pytest.fixture
async def chat(database: Database, tmp_path: Path) -> AsyncIterator[Chat]:
    """A chat with the whole bot."""
    settings = demo_settings(tmp_path)
    settings = replace(settings, timing=replace(settings.timing, settle=timedelta(0)))
    store, chat = _store(database), Chat()

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            models = _mind(store, tmp_path)
            wakeups = start_chat_steps(group, settings, store, models, {"web": chat})
            start_model_steps(group, settings, store, models, wakeups)

    running = asyncio.create_task(run(), name="the bot")
    yield chat
    running.cancel()
    await asyncio.wait({running})


async def test_every_step_is_awake(chat: Chat) -> None:
    inbox = await chat.inbox
    await inbox.message(Message(HERS, Place("web", "cleo", "1"), CLEO, "I was charged twice", now()))
    card = await chat.hears(lambda said: isinstance(said, Card))
    for fact, follows in _story(inbox, card):
        await fact()
        await chat.hears(follows)
    solved = await chat.hears(lambda said: isinstance(said, Solved))
    await inbox.press(Press(solved, CLEO, NO, now()))
    await chat.hears(lambda said: isinstance(said, Solved) and said.answer == NO)
    assert sum(isinstance(item.post.content, Reply) for item in chat.said) == 1


def _story(inbox: Inbox, card: MessageRef) -> list[tuple[Callable[[], Awaitable[None]], Callable[[Content], bool]]]:
    """(what happens, what is said because of it), in order."""
    room = card.chat
    note, emoji = MessageRef("web", room, "n1"), MessageRef("web", "cleo", "2")
    later = Message(emoji, Place("web", "cleo", "1"), CLEO, "on monday", now())
    return [
        (lambda: inbox.message(later), lambda said: isinstance(said, FollowUp)),
        (
            lambda: inbox.reaction(Reaction(card, ADA, "👀", True, now())),
            lambda said: isinstance(said, Card) and said.taken_by == "Ada",
        ),
        (
            lambda: inbox.note(Note(note, card, ADA, "reply: it is on its way", now())),
            lambda said: isinstance(said, Sent) and not said.problem,
        ),
        (
            lambda: inbox.edit(Edit(HERS, "I was charged three times", now())),
            lambda said: isinstance(said, Card) and said.edited,
        ),
        (lambda: inbox.deletion(Deletion(emoji, now())), lambda said: isinstance(said, FollowUp) and said.deleted),
        (
            lambda: inbox.reaction(Reaction(card, ADA, "✅", True, now())),
            lambda said: isinstance(said, Solved) and said.answer is None,
        ),
    ]


async def test_what_the_settings_no_longer_say_is_gone_at_the_next_start(database: Database, tmp_path: Path) -> None:
    settings, store = demo_settings(tmp_path), _store(database)
    await sync_settings_examples(settings, store)
    await load_demo_examples(settings.routing, store)
    first, second, *others = settings.routing.labels
    moved = replace(second, examples=(*second.examples, first.examples[0]))
    changed = replace(settings.routing, labels=(replace(first, examples=first.examples[1:]), moved, *others))
    await sync_settings_examples(replace(settings, tasks=(changed,)), store)
    kept = [one for one in await store.examples.examples("routing") if one.source is Source.SETTINGS]
    assert {(one.text, one.label) for one in kept} == {
        (words, label.name) for label in changed.labels for words in (label.means, *label.examples)
    }
    assert all(one.at.year > 2000 for one in kept)
    seed = [one for one in await store.examples.examples("routing") if one.source is Source.SEED]
    assert len(seed) > 5_000, "the demo company's own examples are not the settings'"


async def test_the_adapter_that_comes_along_is_listed_with_the_day_it_was_made(
    database: Database, tmp_path: Path
) -> None:
    settings, store, out = demo_settings(tmp_path), _store(database), io.StringIO()
    await adopt_starter_seed(settings, store)
    await actions.models(store, settings.routing, "starter", as_json=True, out=out)
    [row] = json.loads(out.getvalue())
    assert (row["adapter"], row["serves"]) == ("routing-seed", True)
    assert datetime.fromisoformat(row["made"]).year >= 2026
    await adopt_starter_seed(settings, store)
    assert len(await store.registry.adapters("routing")) == 1


async def test_what_the_settings_say_of_a_teams_topics_is_said_of_the_team(database: Database, tmp_path: Path) -> None:
    settings, store = demo_settings(tmp_path), _store(database)
    jam = Label("printer", "Paper and toner", ("the printer on floor two is jammed",), team="it")
    topics = Task("topic", "Which topic?", (jam, Label("vpn", "Working from elsewhere", team="it")), "vpn")
    await sync_settings_examples(replace(settings, tasks=(*settings.tasks, topics)), store)
    taught = {(one.text, one.label) for one in await store.examples.examples("routing")}
    assert {("Paper and toner", "it"), (jam.examples[0], "it"), ("Working from elsewhere", "it")} <= taught
    await sync_settings_examples(settings, store)
    assert (jam.examples[0], "it") not in {(one.text, one.label) for one in await store.examples.examples("routing")}
