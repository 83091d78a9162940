"""The bot's real steps on a database of their own, with a simulated chat service and clock."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bot.domain.decisions import Decision, Prediction, decide
from bot.domain.errors import NotTrained, Refused
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.ledger import ThreadingPolicy
from bot.domain.messages import Media, Message, MessageRef, Person, Place, Press, Reaction
from bot.domain.model_ports import Predictor, Query
from bot.domain.ports import Inbox
from bot.domain.posts import OTHER, Card, OutboxItem, Question
from bot.domain.tasks import Label, Task, Vocabulary
from bot.domain.team_changes import Kind, TeamChange
from bot.flow.buttons import ButtonHandler
from bot.flow.classify import BATCH, Classifier
from bot.flow.correct import Corrector
from bot.flow.deliver import Deliverer
from bot.flow.embed import EmbeddingBackfill
from bot.flow.fit_voices import VoiceFitter
from bot.flow.receive import Receiver
from bot.flow.second_look import SecondLook
from bot.flow.sort import Sorter
from db.adapter_paths import AdapterPaths
from db.canaries import PostgresCanaries
from db.engine import Database, open_database
from db.examples import PostgresExamples
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.migrate import upgrade
from db.outbox import PostgresOutbox
from db.registry import PostgresRegistry
from db.second_looks import PostgresSecondLooks
from db.server.embedded import embedded
from db.tables import ExampleRow
from db.team_changes import PostgresTeamChanges
from db.voice_lessons import PostgresVoiceLessons
from inference.embedders.choose import BUNDLED, open_embedder
from inference.languages import language_of
from inference.voices.fitted import FittedVoices

_POLICY = ThreadingPolicy(timedelta(0), timedelta(hours=24), timedelta(hours=72))
_NAME = "web"
_LOOKS = 10
"""At most: each look has the voices fitted on what the one before has left."""
_DEADLINE = 120.0
"""Seconds that people wait for the model: a simulated year says nothing about how busy this machine is."""
_TRIES = 20
"""The most minutes that a message may wait for its card."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """Where a message came first, whether its person was asked, and the card's message."""

    team: str
    asked: bool
    card: str | None


class Untrained:
    """The model before any training: the other voices decide."""

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        raise NotTrained("nothing was trained")

    def reads(self, text: str) -> bool:
        return True

    def crosses(self) -> bool:
        return False

    def alphabet(self) -> Sequence[str]:
        return [chr(code) for code in range(65, 91)]


@dataclass(frozen=True, slots=True)
class Model:
    """The model that a company asks, and the name of its base."""

    predictor: Predictor
    base: str


@dataclass
class Chat:
    """A chat service in memory; everybody who writes has a room of their own."""

    name: str = _NAME
    whispers: bool = False
    cards: dict[str, tuple[Card, str]] = field(default_factory=dict)
    """The person's room -> the newest card, and its message."""
    questions: dict[str, tuple[Question, str]] = field(default_factory=dict)

    async def listen(self, inbox: Inbox) -> None:
        await asyncio.Event().wait()

    def delay(self, item: OutboxItem) -> timedelta:
        return timedelta(0)

    async def say(self, item: OutboxItem) -> MessageRef:
        ref = item.edits or MessageRef(_NAME, item.post.place.chat, f"post {item.id}")
        content = item.post.content
        if isinstance(content, Card) and content.moved_to is None:
            self.cards[content.source.chat] = content, ref.id
        elif isinstance(content, Question) and content.answered is None:
            self.questions[item.post.place.chat] = content, ref.id
        return ref

    async def fetch(self, media: Media) -> bytes:
        raise Refused("nothing is attached here")

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        return person.id.startswith(("lead", "malicious"))

    async def may_handle(self, person: Person, room: Place) -> bool:
        return True

    def healthy(self) -> bool:
        return True


class Office:
    """A company's bot, run step by step."""

    def __init__(
        self, database: Database, folder: Path, clock: datetime, task: Task, model: Model, languages: Sequence[str]
    ) -> None:
        self.database, self.clock, self.task, self.chat = database, clock, task, Chat()
        self.runs = folder / "runs"
        self.embedder = open_embedder(BUNDLED, languages)
        name = self.embedder.name
        self.ledger, self.examples = PostgresLedger(database, name), PostgresExamples(database)
        self.failures, self.outbox = PostgresFailedItems(database), PostgresOutbox(database)
        self.memory, self.lessons = PostgresMemory(database, name), PostgresVoiceLessons(database)
        self.voices = FittedVoices(folder / "voices", name)
        self.registry = PostgresRegistry(database, AdapterPaths(self.runs))
        self.canaries = PostgresCanaries(database, self.registry)
        asked = model.predictor, self.embedder, self.memory, self.registry, model.base
        self.classifier = Classifier(*asked, fitted=self.voices, deadline=_DEADLINE, language_of=language_of)
        self.backfill = EmbeddingBackfill(self.memory, self.embedder, self.failures, self.now)
        self.inbox = Receiver(self.ledger, _POLICY, lambda _delay: None, self.failures, self.now)
        self.use(task)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, folder: Path, clock: datetime, task: Task, languages: Sequence[str], model: Model | None = None
    ) -> AsyncIterator["Office"]:
        """An office on a database of its own, with the embedder that the bot has where people write these languages.

        `model` None: the other voices decide.
        """
        async with embedded(folder / "postgres") as url:
            await asyncio.to_thread(upgrade, url)
            async with open_database(url) as database:
                yield cls(database, folder, clock, task, model or Model(Untrained(), "none"), languages)

    def now(self) -> datetime:
        return self.clock

    def use(self, task: Task) -> None:
        """Use these settings from now on."""
        self.task, platforms, words = task, {_NAME: self.chat}, Vocabulary()
        patience = timedelta(minutes=10)
        asked = task, self.ledger, self.classifier, timedelta(0), patience
        self.sorter = Sorter(*asked, "ask", self.now, canaries=self.canaries)
        self.buttons = ButtonHandler(task, words, self.ledger, platforms, self.now)
        self.corrector = Corrector(task, words, self.ledger, platforms, self.now)
        self.deliverer = Deliverer(task, self.outbox, self.ledger, platforms, self.now)

    async def settles(self) -> None:
        """Let every step do what waits for it."""
        self.clock += timedelta(seconds=5)
        steps = (self.sorter.step, self.buttons.step, self.corrector.step, self.deliverer.step)
        while any([await step() for step in steps]):
            pass

    async def learns(self, rows: Sequence[tuple[str, str]], judged: Sequence[tuple[str, str]] = ()) -> None:
        """Import a file to learn from, and one that models are judged by; fit the voices."""
        sides = (Side.TRAIN, rows), (Side.HELD_OUT, judged)
        known = [Example(text, team, Source.IMPORT, side, self.clock) for side, of in sides for text, team in of]
        await self.examples.add_examples(self.task.name, known)
        await self.fits()

    async def splits(self, before: str, after: str, texts: Sequence[str]) -> None:
        """Make a part of a team's examples another team's."""
        change = TeamChange(Kind.SPLIT, before, after, "simulation", tuple(texts))
        await PostgresTeamChanges(self.database).change(self.task, change, lambda *_: [], self.clock, False)
        await self.fits()

    async def fits(self) -> None:
        """Compute missing vectors and fit the voices anew."""
        await self.backfill.all(lambda _done: None)
        await VoiceFitter([self.task], self.lessons, self.voices, self.embedder.name).fit(self.task)

    async def looks_again(self) -> None:
        """What the bot does every hour, until nothing more comes of it: a second look at corrections, and a new fit."""
        again = SecondLook([self.task], PostgresSecondLooks(self.database), self.voices, self.embedder.name, self.now)
        for _ in range(_LOOKS):
            if not await again.look(self.task):
                break
            await self.fits()

    async def sorted(self, texts: Mapping[str, str], truths: Mapping[str, str]) -> dict[str, Sorted]:
        """People write, answer questions as well as they can, and each gets a card."""
        for room, text in texts.items():
            ref, author = MessageRef(_NAME, room, "1"), Person(_NAME, room, "Cleo", "en")
            await self.inbox.message(Message(ref, Place(_NAME, room, "1"), author, text, self.clock))
        await self.settles()
        asked = [room for room in texts if room in self.chat.questions]
        for room in asked:
            question, post = self.chat.questions[room]
            right = truths[room] in question.candidates
            value = str(question.candidates.index(truths[room])) if right else OTHER
            person = Person(_NAME, room, "Cleo", "en")
            await self.inbox.press(Press(MessageRef(_NAME, room, post), person, value, self.clock))
        await self._until_carded(texts)
        return {room: Sorted(self.chat.cards[room][0].label, room in asked, self.card(room)) for room in texts}

    def card(self, room: str) -> str | None:
        """The newest card of what was written in the person's room: its own room, and its message. None: it has
        none."""
        if room not in self.chat.cards:
            return None
        card, post = self.chat.cards[room]
        return f"{self.task.label(card.label).deliver_to[_NAME].chat} {post}"

    def waiting(self) -> set[str]:
        """The persons' rooms whose cards say that a correction waits for a second lead."""
        return {room for room, (card, _) in self.chat.cards.items() if card.held and not card.disputed}

    async def _until_carded(self, rooms: Collection[str]) -> None:
        """Repeat until there is a card: what failed on a busy machine is tried again in time. Raises if a card never
        comes."""
        for _ in range(_TRIES):
            await self.settles()
            missing = [room for room in rooms if room not in self.chat.cards]
            if not missing:
                return
            self.clock += timedelta(minutes=1)
        raise Refused(f"{len(missing)} of {len(rooms)} messages got no card")

    async def corrects(self, card: str, label: str, lead: str) -> None:
        """A lead puts a team's emoji on a card."""
        room, _, post = card.partition(" ")
        emoji, who = self.task.label(label).emoji[_NAME], Person(_NAME, lead, lead)
        await self.inbox.reaction(Reaction(MessageRef(_NAME, room, post), who, emoji, True, self.clock))
        self.clock += timedelta(minutes=10)
        await self.settles()

    async def said_of(self, text: str) -> str:
        """The examples of the very text, newest first: their source, and whether they wait for a lead or are
        withdrawn."""
        wanted = select(ExampleRow).where(ExampleRow.text_key == text_key(text)).order_by(ExampleRow.at.desc())
        async with self.database.transaction() as session:
            rows = await session.scalars(wanted)
            return " < ".join(
                f"{row.source}{f' ({row.held})' if row.held else ''}{' withdrawn' if row.withdrawn_at else ''}"
                for row in rows
            )

    async def knows(self, texts: Sequence[str]) -> dict[str, str]:
        """The team that each of these texts would get now, if nobody was asked."""
        return {text: made.label for text, made in (await self.decides(texts, may_ask=False)).items()}

    async def decides(self, texts: Sequence[str], may_ask: bool = True) -> dict[str, Decision]:
        """What would be decided now on each of these texts."""
        query, found = await self.classifier.query(self.task), dict[str, Decision]()
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            known = await self.classifier.consider(query, batch)
            found |= {text: decide(self.task, one.opinions, may_ask) for text, one in zip(batch, known, strict=True)}
        return found
