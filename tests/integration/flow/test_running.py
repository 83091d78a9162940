"""The steps as they run in a process, each woken by what concerns it: nobody steps them by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.app import ModelStack, Store, demo_settings, now
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.ports import Inbox
from bot.domain.posts import NO, Card, Content, FollowUp, Reply, Sent, Solved
from bot.flow.classify import Classifier
from bot.flow.embed import EmbeddingBackfill
from bot.flow.learn import Learner
from bot.running import start_chat_steps, start_model_steps
from db.engine import Database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.registry import PostgresRegistry
from db.transcript import PostgresTranscript
from inference.adapters import VllmAdapters
from inference.embed import LocalEmbedder
from tests.fakes import FakeAdapters, FakeEmbedder, FakePlatform, FakePredictor, FakeWorkshop

CLEO = Person("web", "cleo", "Cleo", "en")
ADA = Person("web", "agent", "Ada")
HERS = MessageRef("web", "cleo", "1")
_PATIENCE = 30.0


class Chat(FakePlatform):
    """A chat in memory that hands out its inbox, and can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: asyncio.Future[Inbox] = asyncio.get_running_loop().create_future()

    async def listen(self, inbox: Inbox) -> None:
        self.inbox.set_result(inbox)
        await asyncio.Event().wait()

    async def hears(self, wanted: Callable[[Content], bool]) -> MessageRef:
        """The receipt of what was said like that, as soon as it is."""
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
        cast(LocalEmbedder, embedder),
        PostgresLedger(database, embedder.name),
        PostgresOutbox(database),
        PostgresTranscript(database),
        PostgresMemory(database, embedder.name),
        PostgresExamples(database),
        PostgresRegistry(database),
        PostgresQueries(database),
        PostgresErasure(database),
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
        store.outbox,
        classifier,
        adapters,
        FakeWorkshop(),
        folder,
        folder,
        now,
    )
    return ModelStack(
        classifier, EmbeddingBackfill(store.memory, store.embedder), learner, None, cast(VllmAdapters, adapters)
    )


@pytest.fixture
async def chat(database: Database, tmp_path: Path) -> AsyncIterator[Chat]:
    """A chat with the whole bot behind it."""
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
