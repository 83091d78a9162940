"""What the local chat sees of the rest of the bot, in memory: facts in lists."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from bot.domain.errors import Unreachable
from bot.domain.learning import Adapter, Cycle, Phase
from bot.domain.ledger import Change, Ledger
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.model_ports import Examples, Registry
from bot.domain.presses import Button
from bot.domain.queries import ChatCommands, Transcript, TranscriptLine
from bot.domain.tasks import Label, Task, Vocabulary
from bot.platforms import PlatformContext


def _label(name: str, means: str, emoji: str, *examples: str) -> Label:
    return Label(name, means, examples, {"web": emoji}, {"web": Place("web", name)})


VOCABULARY = Vocabulary({"web": "👀"}, {"web": "✅"}, {"web": "👎"}, {"web": "📤"})

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
    """Keeps each fact once per message id; `down` makes it refuse as a database that is away does."""

    messages: list[Message] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    deletions: list[Deletion] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
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

    async def edit(self, edit: Edit) -> None:
        self._check()
        self.edits.append(edit)

    async def deletion(self, deletion: Deletion) -> None:
        self._check()
        self.deletions.append(deletion)

    async def note(self, note: Note) -> None:
        self._check()
        if all(note.ref != known.ref for known in self.notes):
            self.notes.append(note)

    async def person(self, person: Person) -> None:
        raise AssertionError("the local chat knows everybody's name")

    async def chat_moved(self, platform: str, before: str, after: str) -> None:
        raise AssertionError("rooms of the local chat never move")

    def _check(self) -> None:
        if self.down:
            raise Unreachable("the database is away")


@dataclass
class FakeWorld:
    """The transcript, the changes, the registry and the examples, as far as the chat asks for them."""

    said: list[TranscriptLine] = field(default_factory=list)
    adapter: str | None = "routing-1"
    cycle: Cycle | None = None
    waiting: int = 0
    asked: list[Person] = field(default_factory=list)
    down: bool = False
    buttons: dict[MessageRef, Button] = field(default_factory=dict)
    _listeners: set[asyncio.Queue[bool]] = field(default_factory=set)

    async def button(self, ref: MessageRef) -> Button | None:
        return self.buttons.get(ref)

    def tell(self) -> None:
        """Announce that something changed in the database."""
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

    async def lines(self, platform: str, chats: Sequence[str], limit: int) -> list[TranscriptLine]:
        if self.down:
            raise Unreachable("the database is away")
        return [line for line in self.said if line.place.chat in chats][-limit:]

    async def champion(self, task: str, base: str) -> Adapter | None:
        now = datetime(2026, 11, 23, tzinfo=UTC)
        return Adapter(self.adapter, task, Path("var"), base, {}, 1.0, now) if self.adapter else None

    async def cycles(self, task: str, limit: int) -> list[Cycle]:
        return [self.cycle] if self.cycle else []

    async def learn(self, lead: Person) -> bool:
        if self.cycle and self.cycle.phase not in (Phase.DONE, Phase.FAILED):
            return False
        self.asked.append(lead)
        self.cycle = Cycle(len(self.asked), TASK.name, lead.key, Phase.REQUESTED, 0.0)
        self.tell()
        return True

    async def waiting_corrections(self, task: str) -> int:
        return self.waiting

    def around(self, task: Task = TASK) -> PlatformContext:
        return PlatformContext(
            task=task,
            languages=("en", "pt-BR", "es"),
            base="starter",
            vocabulary=VOCABULARY,
            ledger=cast(Ledger, self),
            chat_commands=cast(ChatCommands, self),
            transcript=cast(Transcript, self),
            registry=cast(Registry, self),
            examples=cast(Examples, self),
        )


async def _drain(queue: asyncio.Queue[bool]) -> AsyncIterator[frozenset[Change]]:
    while True:
        await queue.get()
        yield frozenset(Change)
