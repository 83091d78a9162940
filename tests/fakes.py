"""Fakes for slow or remote parts: a model, an embedder, a chat service. Each keeps its port's promises."""

import asyncio
import hashlib
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from bot.domain import model_ports, ports
from bot.domain.decisions import Prediction
from bot.domain.errors import Refused, SwitchboardError, Unreachable
from bot.domain.learning import Adapter, Progress
from bot.domain.memory_vote import Neighbours
from bot.domain.messages import Media, MessageRef, Person, Place
from bot.domain.model_ports import Query, TrainingRun, Vector
from bot.domain.ports import Inbox
from bot.domain.posts import OutboxItem
from bot.domain.serving_agreement import Validation
from bot.domain.tasks import Label, Task
from bot.domain.training_estimate import Pace
from bot.flow.classify import Classifier

Rule = Callable[[str], str | None]


def by_keyword(text: str) -> str | None:
    """The label of the sample task that a text names; None if it names none."""
    keywords = {"charged": "billing", "refund": "billing", "parcel": "delivery", "laptop": "it", "vpn": "it"}
    return next((label for word, label in keywords.items() if word in text.lower()), None)


class FakePredictor:
    """Sure (0.9) of what its rule says; equal probabilities for all labels where the rule says nothing."""

    def __init__(self, rule: Rule = by_keyword) -> None:
        self.rules: dict[str | None, Rule] = {None: rule}
        """By adapter; an adapter without its own rule uses the rule of None."""
        self.failure: SwitchboardError | None = None
        self.asked = 0
        self.everywhere = False
        """Whether it answers in one language what it learned in another."""

    def alphabet(self) -> Sequence[str]:
        return tuple(f"<{n}>" for n in range(16))

    def crosses(self) -> bool:
        return self.everywhere

    def reads(self, text: str) -> bool:
        return not any(sign > "\u0400" and sign.isalpha() for sign in text)

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        if self.failure is not None:
            raise self.failure
        self.asked += 1
        name = query.adapter.name if query.adapter else None
        rule = self.rules.get(name, self.rules[None])
        return [Prediction(_distribution(query.task.names, rule(text)), name) for text in texts]


def _distribution(names: Sequence[str], answer: str | None) -> dict[str, float]:
    if answer not in names:
        return dict.fromkeys(names, 1 / len(names))
    return {name: 0.9 if name == answer else 0.1 / (len(names) - 1) for name in names}


class FakeAdapters:
    """A server that loads any adapter."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()

    async def load(self, adapter: Adapter) -> None:
        self.loaded.add(adapter.name)

    async def digest(self, folder: Path) -> str:
        return f"digest of {folder.name}"

    async def unload(self, name: str) -> None:
        self.loaded.discard(name)


class FakeEmbedder:
    """Hashed bags of words: texts with common words are near each other."""

    name = "bag of words"
    failure: SwitchboardError | None = None

    def __init__(self, name: str = "bag of words") -> None:
        self.name = name

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        if self.failure is not None:
            raise self.failure
        return [_bag(text) for text in texts]


def _bag(text: str, width: int = 64) -> Vector:
    vector = [1e-6] * width
    for word in re.findall(r"\w+", text.lower()):
        vector[hashlib.sha256(word.encode()).digest()[0] % width] += 1.0
    length = math.hypot(*vector)
    return [value / length for value in vector]


class FakeKnowledge:
    """A memory that finds the same for every text, and a registry whose first adapter serves."""

    def __init__(self, found: Neighbours) -> None:
        self.found = found

    async def nearest(self, task: Task, vector: Vector, text: str, leave_out_itself: bool = False) -> Neighbours:
        return self.found

    async def nearest_many(
        self,
        task: Task,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
    ) -> list[Neighbours]:
        return [self.found] * len(texts)

    async def codes(self, task: Task, base: str, alphabet: Sequence[str]) -> dict[str, str]:
        return dict(zip(task.names, alphabet, strict=False))

    async def champion(self, task: str, base: str) -> Adapter | None:
        return Adapter("routing-1", task, Path("var"), base, {}, 1.0, datetime(2026, 11, 1, tzinfo=UTC))


def fake_classifier(found: Neighbours, predictor: FakePredictor | None = None) -> Classifier:
    """A complete classifier without a database."""
    known = FakeKnowledge(found)
    model = predictor or FakePredictor()
    return Classifier(
        model, FakeEmbedder(), cast(model_ports.Memory, known), cast(model_ports.Registry, known), "starter"
    )


class FakePlatform:
    """A chat service in memory."""

    def __init__(self, name: str = "web", leads: Sequence[str] = ("lead",), whispers: bool = True) -> None:
        self.name = name
        self.whispers = whispers
        self.leads = frozenset(leads)
        """People who may correct and handle everything."""
        self.agents: frozenset[str] | None = frozenset({"agent"})
        """People who may handle everything; None: anybody may."""
        self.said: list[OutboxItem] = []
        self.failures: list[Exception] = []
        """Raised by the next calls of `say`, one each."""
        self.seconds = 0.0
        """The duration of `say`."""
        self.delays: list[timedelta] = []
        """The answers of the next calls of `delay`, one each; afterwards no post has to wait."""
        self.lookup: Exception | None = None
        """Raised by every check of permissions."""
        self.trouble: dict[str, Exception | None] = {}
        """Chats in which `say` raises this; None: the call never ends."""
        self.closed: dict[str, str] = {}
        """Chats that accept no post, and the error that they raise."""
        self.files: dict[str, bytes] = {}
        """The bytes that `fetch` returns, by the attachment's id."""
        self.lost: set[str] = set()
        """People whose lookup fails."""
        self.asked: list[tuple[str, str, Place]] = []
        """(person, team, room) of every check whether a person may correct."""

    async def listen(self, inbox: Inbox) -> None:
        raise Refused("nobody talks here by themselves")

    def delay(self, item: OutboxItem) -> timedelta:
        return self.delays.pop(0) if self.delays else timedelta(0)

    async def say(self, owed: OutboxItem) -> MessageRef:
        await asyncio.sleep(self.seconds)
        if owed.post.place.chat in self.trouble:
            if (error := self.trouble[owed.post.place.chat]) is not None:
                raise error
            await asyncio.Event().wait()
        if self.failures:
            raise self.failures.pop(0)
        if owed.post.place.chat in self.closed:
            raise Refused(self.closed[owed.post.place.chat])
        self.said.append(owed)
        return owed.edits or MessageRef(self.name, owed.post.place.chat, f"post {owed.id}")

    async def fetch(self, media: Media) -> bytes:
        if media.id not in self.files:
            raise Refused("the file is gone")
        return self.files[media.id]

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        self._look_up(person)
        self.asked.append((person.id, team.name, room))
        if self.lookup is not None:
            raise self.lookup
        return person.id in self.leads or person.id in team.leads.get(self.name, ())

    def _look_up(self, person: Person) -> None:
        if person.id in self.lost:
            raise Unreachable("nobody says who that is")

    async def may_handle(self, person: Person, room: Place) -> bool:
        self._look_up(person)
        if self.lookup is not None:
            raise self.lookup
        return self.agents is None or person.id in self.agents or person.id in self.leads

    def healthy(self) -> bool:
        return False  # this service receives nothing by itself, so it never listens


class FakeWorkshop:
    """Makes an empty adapter at once, and records what it was given."""

    def __init__(self) -> None:
        self.runs: list[TrainingRun] = []
        self.validated: Validation | None = None
        self.failure: SwitchboardError | None = None

    async def train(self, run: TrainingRun, progress: Progress) -> Path:
        self.runs.append(run)
        if self.failure is not None:
            raise self.failure
        progress(1.0, "done")
        return run.folder / "adapter"

    async def validation(self, folder: Path) -> Validation | None:
        return self.validated


class FakeProbe:
    """Returns a fixed measurement, and records for how many examples it was asked."""

    def __init__(self) -> None:
        self.learned: list[int] = []
        self.failure: SwitchboardError | None = None

    async def pace(self, run: TrainingRun, learned: Sequence[int]) -> Pace:
        self.learned += learned
        if self.failure is not None:
            raise self.failure
        steps = [max(120, round(40 * (count / 32) ** 0.5)) for count in learned]
        return Pace("CPU", 5.0, 0.5, 0.01, 10**9, steps, 8)


_predictor: type[model_ports.Predictor] = FakePredictor
_adapters: type[model_ports.AdapterHost] = FakeAdapters
_platform: type[ports.Platform] = FakePlatform
_embedder: type[model_ports.Embedder] = FakeEmbedder
_workshop: type[model_ports.Trainer] = FakeWorkshop
_probe: type[model_ports.TrainingProbe] = FakeProbe
