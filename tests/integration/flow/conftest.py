"""The whole flow on a real database, with a model, an embedder and a chat service that need no waiting for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.messages import MessageRef, Person, Press, Reaction
from bot.domain.posts import Card, Content, Owed, Question
from bot.flow.classify import Classifier
from bot.flow.correct import Corrector
from bot.flow.deliver import Courier
from bot.flow.learn import Learner
from bot.flow.receive import Receiver
from bot.flow.relay import Relay
from bot.flow.remember import Rememberer
from bot.flow.sort import Sorter
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from tests.fakes import FakeAdapters, FakeEmbedder, FakePlatform, FakePredictor, FakeWorkshop
from tests.samples import CUSTOMER, LEAD, NOW, TASK, message


@dataclass
class Story:
    """Everything between a message and its consequences, stepped by hand, with a clock that a test moves."""

    database: Database
    folder: Path
    time: datetime = NOW
    predictor: FakePredictor = field(default_factory=FakePredictor)
    adapters: FakeAdapters = field(default_factory=FakeAdapters)
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    platform: FakePlatform = field(default_factory=FakePlatform)
    workshop: FakeWorkshop = field(default_factory=FakeWorkshop)

    def __post_init__(self) -> None:
        settle, idle, patience = timedelta(seconds=3), timedelta(hours=24), timedelta(minutes=10)
        self.ledger = PostgresLedger(self.database, self.embedder.name)
        self.memory = PostgresMemory(self.database, self.embedder.name)
        self.examples = PostgresExamples(self.database)
        self.registry = PostgresRegistry(self.database)
        outbox = PostgresOutbox(self.database)
        platforms = {"web": self.platform}
        self.classifier = Classifier(self.predictor, self.embedder, self.memory, self.registry, "starter")
        self.inbox = Receiver(self.ledger, settle, idle, lambda _delay: None)
        self.sorter = Sorter(TASK, self.ledger, self.classifier, settle, patience, self.now)
        self.courier = Courier(outbox, platforms, self.now)
        self.corrector = Corrector(TASK, self.ledger, platforms, self.now)
        self.relay = Relay(self.ledger, self.now)
        self.rememberer = Rememberer(self.memory, self.embedder)
        self.learner = Learner(
            {TASK.name: TASK},
            self.examples,
            self.registry,
            outbox,
            self.classifier,
            self.adapters,
            self.workshop,
            self.folder,
            self.folder,
            self.now,
        )

    def now(self) -> datetime:
        return self.time

    def later(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    async def writes(self, text: str, id: str, author: Person = CUSTOMER) -> None:
        """The customer opens a thread."""
        seconds = (self.time - NOW).total_seconds()
        await self.inbox.message(message(text, id, seconds, author))

    async def settles(self) -> None:
        """Time passes, and every step does all it can."""
        self.later(5)
        for step in (self.sorter.step, self.sorter.choose, self.corrector.step, self.relay.step, self.rememberer.step):
            await step()
        while await self.courier.step():
            pass

    async def reacts(self, emoji: str, added: bool = True, by: Person = LEAD, card: int = -1) -> None:
        """Somebody reacts on a card (the newest by default)."""
        self.later(1)
        owed = self.cards()[card]
        ref = MessageRef("web", owed.post.place.chat, f"post {owed.id}")
        await self.inbox.reaction(Reaction(ref, by, emoji, added, self.time))

    async def presses(self, value: str, by: Person = CUSTOMER) -> None:
        """Somebody presses a button of the newest question."""
        self.later(1)
        owed = next(o for o in reversed(self.platform.said) if isinstance(o.post.content, Question) and not o.edits)
        ref = MessageRef("web", owed.post.place.chat, f"post {owed.id}")
        await self.inbox.press(Press(ref, by, value, self.time))

    def cards(self) -> list[Owed]:
        """Cards posted, oldest first, without later strokes through them."""
        return [o for o in self.platform.said if isinstance(o.post.content, Card) and o.edits is None]

    def heard(self) -> list[Content]:
        """What the customer was told."""
        return [o.post.content for o in self.platform.said if o.post.place.chat == "customer"]


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    return Story(database, tmp_path)
