"""What the local chat sees of the rest of the bot, in memory: facts kept in lists, and a scripted bot that answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from bot.domain.decisions import Author, Reason
from bot.domain.errors import Unreachable
from bot.domain.learning import Adapter, Cycle, Phase, Verdict
from bot.domain.messages import Message, MessageRef, Place, Press, Reaction
from bot.domain.ports import Change, Examples, Ledger, Line, Registry, Transcript
from bot.domain.posts import Answer, Card, Content, Moved, Owed, Post, Question
from bot.domain.tasks import Label, Task
from bot.platforms import Surroundings
from bot.platforms.web.adapter import WebChat


def _label(name: str, means: str, emoji: str, *examples: str) -> Label:
    return Label(name, means, examples, {"web": emoji}, {"web": Place("web", name)})


TASK = Task(
    name="routing",
    question="Which team should handle this message?",
    labels=(
        _label("billing", "Invoices, refunds, charges, payment methods", "💰", "I was charged twice for order L-20418"),
        _label("delivery", "Where a parcel is, late or damaged parcels", "📦", "My parcel should have come on Monday"),
        _label("support", "How a lamp works, faults, the warranty", "🛟"),
        _label("sales", "Offers, prices, large orders, partners", "🤝"),
        _label("it", "Accounts, laptops, passwords, software", "💻", "I cannot log in to my laptop"),
        _label("people", "Leave, pay slips, contracts, onboarding", "🧑‍🤝‍🧑"),
        _label("facilities", "Desks, keys, heating, parking", "🏢"),
        _label("legal", "Contracts, privacy, complaints by lawyers", "⚖"),
        _label("triage", "Everything that belongs to no other team", "🔎"),
    ),
    fallback="triage",
)


@dataclass
class FakeInbox:
    """Keeps what it is given, once per message id; `down` makes it refuse like a database that is away."""

    messages: list[Message] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    down: bool = False

    async def message(self, message: Message) -> None:
        self._check()
        if all(message.ref != known.ref for known in self.messages):
            self.messages.append(message)

    async def reaction(self, reaction: Reaction) -> None:
        self._check()
        self.reactions.append(reaction)

    async def press(self, press: Press) -> None:
        self._check()
        self.presses.append(press)

    def _check(self) -> None:
        if self.down:
            raise Unreachable("the database is away")


@dataclass
class FakeWorld:
    """The transcript, what changes, the registry and the examples, as far as the chat asks them."""

    said: list[Line] = field(default_factory=list)
    adapter: str | None = "routing-1"
    cycle: Cycle | None = None
    waiting: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    down: bool = False
    _listeners: set[asyncio.Queue[bool]] = field(default_factory=set)

    def tell(self) -> None:
        """Something changed in the database."""
        for listener in self._listeners:
            listener.put_nowait(True)

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[frozenset[Change]]]:
        mine: asyncio.Queue[bool] = asyncio.Queue()
        self._listeners.add(mine)
        try:
            yield _drain(mine)
        finally:
            self._listeners.discard(mine)

    async def lines(self, platform: str, chats: Sequence[str], limit: int) -> list[Line]:
        if self.down:
            raise Unreachable("the database is away")
        return [line for line in self.said if line.place.chat in chats][-limit:]

    async def champion(self, task: str, base: str) -> Adapter | None:
        now = datetime(2026, 11, 23, tzinfo=UTC)
        return Adapter(self.adapter, task, Path("var"), base, {}, 1.0, now) if self.adapter else None

    async def cycles(self, task: str, limit: int) -> list[Cycle]:
        return [self.cycle] if self.cycle else []

    async def request_cycle(self, task: str, by: str, key: str, now: datetime) -> bool:
        if self.cycle and self.cycle.phase not in (Phase.DONE, Phase.FAILED):
            return False
        self.asked.append((task, by, key))
        self.cycle = Cycle(len(self.asked), task, by, Phase.REQUESTED, 0.0)
        self.tell()
        return True

    async def waiting_corrections(self, task: str) -> int:
        return self.waiting

    def around(self, task: Task = TASK) -> Surroundings:
        return Surroundings(
            task=task,
            languages=("en", "pt-BR", "es"),
            base="starter",
            ledger=cast(Ledger, self),
            transcript=cast(Transcript, self),
            registry=cast(Registry, self),
            examples=cast(Examples, self),
        )


async def _drain(queue: asyncio.Queue[bool]) -> AsyncIterator[frozenset[Change]]:
    while True:
        await queue.get()
        yield frozenset(Change)


@dataclass
class ScriptedBot(FakeInbox):
    """Plays receive, sort, deliver and correct for the page: says posts through the chat, as the courier would.

    It sends everything to billing until a lead corrects it, and remembers the correction; `?` makes it ask.
    """

    world: FakeWorld = field(default_factory=FakeWorld)
    remembered: str | None = None
    chat: WebChat = field(init=False)
    _posts: int = 0

    def __post_init__(self) -> None:
        self.chat = WebChat(("lead",), self.world.around())

    async def message(self, message: Message) -> None:
        repeated = any(message.ref == known.ref for known in self.messages)
        await super().message(message)
        if repeated:
            return
        self.world.said.append(Line(message.ref, message.place, message.at, message, None, ()))
        if message.text.endswith("?"):
            await self.say(message.place, Question(("billing", "delivery", "support"), message.author.language))
        elif message.ref.id == message.place.thread:
            await self.route(message, self.remembered or "billing")
        self.world.tell()

    async def route(self, message: Message, label: str) -> None:
        known = self.remembered is not None
        await self.say(message.place, Answer(label, message.author.language, remembered=known))
        card = Card(
            conversation=len(self.messages),
            label=label,
            excerpt=message.text,
            author=message.author.name,
            source=message.ref,
            by=Author.MEMORY if known else Author.MODEL,
            reason=Reason.REMEMBERED if known else Reason.CONFIDENT,
            confidence=0.94,
            adapter="routing-1",
            legend=tuple((of.emoji["web"], of.name) for of in TASK.labels),
        )
        await self.say(Place("web", label), card)

    async def reaction(self, reaction: Reaction) -> None:
        await super().reaction(reaction)
        position, line = self._find(reaction.ref)
        mark = (reaction.emoji, reaction.actor.id)
        kept = tuple(one for one in line.reactions if one != mark)
        self.world.said[position] = replace(line, reactions=(*kept, mark) if reaction.added else kept)
        label = TASK.label_of_emoji("web", reaction.emoji)
        if line.post and isinstance(line.post.content, Card) and label and reaction.added:
            await self._move(position, line.post.content, label)
        self.world.tell()

    async def _move(self, position: int, card: Card, label: str) -> None:
        if label == card.label:
            return
        line = self.world.said[position]
        struck = replace(card, moved_to=label)
        self.world.said[position] = replace(line, post=Post(line.place, struck))
        moved = replace(card, label=label, by=Author.LEAD, reason=Reason.CORRECTED)
        await self.say(Place("web", label), moved)
        source = next(m for m in self.messages if m.ref == card.source)
        await self.say(source.place, Moved(label, source.author.language))
        self.remembered, self.world.waiting = label, self.world.waiting + 1

    async def press(self, press: Press) -> None:
        await super().press(press)
        position, line = self._find(press.ref)
        closed = Question((), "en", answered="delivery", chosen=True)
        self.world.said[position] = replace(line, post=Post(line.place, closed))
        self.world.tell()

    async def say(self, place: Place, content: Content) -> MessageRef:
        self._posts += 1
        post = Post(place, content)
        ref = await self.chat.say(Owed(self._posts, post, 1))
        self.world.said.append(Line(ref, place, datetime.now(UTC), None, post, ()))
        return ref

    def learn(self, phase: Phase, progress: float = 0.0, verdict: Verdict | None = None) -> None:
        """What a learning cycle would report next."""
        assert self.world.cycle is not None
        self.world.cycle = replace(
            self.world.cycle, phase=phase, progress=progress, adapter="routing-2", verdict=verdict
        )
        if verdict and verdict.promoted:
            self.world.adapter, self.world.waiting = "routing-2", 0
        self.world.tell()

    def _find(self, ref: MessageRef) -> tuple[int, Line]:
        return next((n, line) for n, line in enumerate(self.world.said) if line.ref == ref)
