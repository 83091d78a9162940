"""The whole flow on a real database, with a model, an embedder and chat services that answer at once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.ledger import ThreadingPolicy
from bot.domain.messages import Deletion, Edit, Media, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.ports import Platform
from bot.domain.posts import Card, Content, OutboxItem, Question
from bot.domain.rules import Rules
from bot.domain.tasks import Task, Vocabulary
from bot.flow.buttons import ButtonHandler
from bot.flow.classify import Classifier
from bot.flow.correct import Corrector
from bot.flow.deliver import Deliverer
from bot.flow.embed import EmbeddingBackfill
from bot.flow.hand_on import HandOn
from bot.flow.learn import Learner
from bot.flow.questions import QuestionAsker, Questions
from bot.flow.receive import Receiver
from bot.flow.relay import EditRelay, NoteRelay, Relay
from bot.flow.remind import Reminder
from bot.flow.score import Scorer
from bot.flow.sort import Sorter
from bot.http.api_leads import ApiLeads
from db.engine import Database
from db.erasure import PostgresErasure
from db.examples import PostgresExamples
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.solved_requests import PostgresSolvedRequests
from tests.fakes import FakeAdapters, FakeEmbedder, FakePlatform, FakePredictor, FakeWorkshop
from tests.samples import CUSTOMER, LEAD, NOW, TASK, VOCABULARY

JOINING = ThreadingPolicy(settle=timedelta(seconds=3), idle=timedelta(hours=24), reopen=timedelta(hours=72))
TAKE = timedelta(minutes=30)


def _web() -> list[FakePlatform]:
    return [FakePlatform()]


@dataclass
class Story:
    """Everything between a message and its consequences, stepped by hand, with a clock that a test moves."""

    database: Database
    folder: Path
    task: Task = TASK
    chats: list[FakePlatform] = field(default_factory=_web)
    wordless: str = "ask"
    questions: tuple[Task, ...] = ()
    """The further questions of every conversation."""
    grace: float = 30.0
    """Seconds that the other answers may take; a busy machine must not fail a test."""
    time: datetime = NOW
    predictor: FakePredictor = field(default_factory=FakePredictor)
    adapters: FakeAdapters = field(default_factory=FakeAdapters)
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    trainer: FakeWorkshop = field(default_factory=FakeWorkshop)
    rules: Rules = field(default_factory=Rules)
    vocabulary: Vocabulary = VOCABULARY
    """What emoji mean besides teams."""

    def __post_init__(self) -> None:
        task, words, platforms = self.task, self.vocabulary, {chat.name: chat for chat in self.chats}
        self.platform = self.chats[0]
        self.ledger = PostgresLedger(self.database, self.embedder.name)
        self.memory = PostgresMemory(self.database, self.embedder.name, now=self.now)
        self.examples = PostgresExamples(self.database)
        self.registry = PostgresRegistry(self.database)
        self.erasure = PostgresErasure(self.database)
        self.failures = PostgresFailedItems(self.database)
        outbox = PostgresOutbox(self.database)
        patience = timedelta(minutes=10)
        self.classifier = Classifier(self.predictor, self.embedder, self.memory, self.registry, "starter")
        self.inbox = Receiver(self.ledger, JOINING, lambda _delay: None, self.failures, self.now)
        heard: dict[str, Platform] = {**platforms, ApiLeads.name: ApiLeads()}
        history = PostgresSolvedRequests(self.database, self.embedder.name)
        asked = Questions(self.questions, self.classifier, self.grace, history)
        how = self.classifier, JOINING.settle, patience, self.wordless, self.now
        self.sorter = Sorter(task, self.ledger, *how, rules=self.rules, questions=asked)
        self.asker = QuestionAsker(asked, self.ledger, self.now)
        self.buttons = ButtonHandler(task, words, self.ledger, platforms, self.now, self.questions)
        self.courier = Deliverer(task, outbox, self.ledger, platforms, self.now)
        self.corrector = Corrector(task, words, self.ledger, heard, self.now, self.questions, self.classifier)
        self.relay = Relay(task, self.ledger, self.classifier, self.now)
        self.note_relay = NoteRelay(words, self.ledger, platforms, self.now)
        self.edit_relay = EditRelay(words, self.ledger, self.now)
        self.hand_on = HandOn(task, self.ledger, self.classifier, self.now)
        self.reminder = Reminder(task, self.ledger, TAKE, self.now, hurries=True)
        self.embedding_backfill = EmbeddingBackfill(self.memory, self.embedder, self.failures, self.now)
        self.learner = Learner(
            {one.name: one for one in (task, *self.questions)},
            self.examples,
            self.registry,
            Scorer(self.classifier, pauses=()),
            self.adapters,
            self.trainer,
            self.folder,
            self.folder,
            self.now,
        )

    # --- time ---

    def now(self) -> datetime:
        return self.time

    def later(self, seconds: float = 0, minutes: float = 0) -> None:
        self.time += timedelta(seconds=seconds, minutes=minutes)

    async def settles(self) -> None:
        """Time passes, and every step runs until none has anything to do."""
        self.later(5)
        steps: Sequence[Callable[[], Awaitable[int]]] = (
            self.sorter.step,
            self.asker.step,
            self.buttons.step,
            self.corrector.step,
            self.hand_on.step,
            self.relay.step,
            self.note_relay.step,
            self.edit_relay.step,
            self.reminder.step,
            self.embedding_backfill.step,
            self.courier.step,
        )
        for _ in range(50):
            done = [await step() for step in steps]
            if not any(done):
                return
        raise AssertionError("it never comes to rest")

    # --- what people do ---

    async def writes(
        self, text: str, id: str, author: Person = CUSTOMER, media: tuple[Media, ...] = (), thread: str | None = ""
    ) -> MessageRef:
        """A person writes in their own room: opening a thread, or in that one; None: there are no threads."""
        at, chat = self.time, author.id
        ref = MessageRef(author.platform, chat, id)
        place = Place(author.platform, chat, id if thread == "" else thread)
        await self.inbox.message(Message(ref, place, author, text, at, media))
        return ref

    async def edits(self, ref: MessageRef, text: str) -> None:
        self.later(1)
        await self.inbox.edit(Edit(ref, text, self.time))

    async def deletes(self, ref: MessageRef) -> None:
        self.later(1)
        await self.inbox.deletion(Deletion(ref, self.time))

    async def reacts(self, emoji: str, added: bool = True, by: Person = LEAD, card: int = -1) -> None:
        """A person reacts on a card (the newest by default)."""
        self.later(1)
        await self.inbox.reaction(Reaction(self.ref(self.cards()[card]), by, emoji, added, self.time))

    async def reacts_on(self, ref: MessageRef, emoji: str, by: Person, added: bool = True) -> None:
        self.later(1)
        await self.inbox.reaction(Reaction(ref, by, emoji, added, self.time))

    async def notes(
        self, text: str, id: str, by: Person, send: bool = False, media: tuple[Media, ...] = (), card: int = -1
    ) -> MessageRef:
        """A person writes under a card (the newest by default)."""
        self.later(1)
        under = self.ref(self.cards()[card])
        ref = MessageRef(under.platform, under.chat, id)
        await self.inbox.note(Note(ref, under, by, text, self.time, media, send))
        return ref

    async def presses(self, value: str, by: Person = CUSTOMER, on: type[Content] = Question) -> None:
        """A person presses a button of the newest post of that kind."""
        self.later(1)
        await self.inbox.press(Press(self.ref(self.newest(on)), by, value, self.time))

    # --- results ---

    def said(self) -> list[OutboxItem]:
        """Everything that was sent anywhere, rewordings included, in the order of the outbox."""
        return sorted((item for chat in self.chats for item in chat.said), key=lambda item: item.id)

    def newest(self, kind: type[Content]) -> OutboxItem:
        return next(o for o in reversed(self.said()) if isinstance(o.post.content, kind) and o.post.edits is None)

    def ref(self, item: OutboxItem) -> MessageRef:
        """The receipt of a post."""
        return MessageRef(item.post.place.platform, item.post.place.chat, f"post {item.id}")

    def cards(self) -> list[OutboxItem]:
        """Cards posted, oldest first, as they were before they were struck through."""
        return [o for o in self.said() if isinstance(o.post.content, Card) and o.post.edits is None]

    def reads(self, position: int = -1) -> Card:
        """The present text of a card (the newest by default)."""
        posted = self.cards()[position]
        content = [o.post.content for o in self.said() if posted.id in (o.id, o.post.edits)][-1]
        assert isinstance(content, Card)
        return content

    def thread(self, position: int = -1) -> list[Content]:
        """What was said under a card (the newest by default), without rewordings."""
        posted = self.cards()[position]
        return [o.post.content for o in self.said() if o.post.under == posted.id and o.post.edits is None]

    def heard(self, person: Person = CUSTOMER) -> list[Content]:
        """What a person was told in their own room."""
        here = (person.platform, person.id)
        return [o.post.content for o in self.said() if (o.post.place.platform, o.post.place.chat) == here]
