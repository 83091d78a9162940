"""A chat service in memory that stamps every post handed to it with the time, with the bot's real steps behind it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.domain.errors import Refused
from bot.domain.messages import Media, Message, MessageRef, Person, Place, Press, Reaction
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import Card, OutboxItem
from bot.domain.tasks import Label
from bot.lifecycle import compute_alone, share_interpreter
from bot.model_stack import ModelStack
from bot.running import start_chat_steps, start_model_steps
from bot.settings import Settings
from bot.store import Store

LEAD = Person("web", "lead", "Lee")
_PATIENCE = 20.0
"""Seconds after which a missing post fails the measurement."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A post, and the moment it was handed to the platform (`time.perf_counter`)."""

    at: float
    owed: OutboxItem


class Stage:
    """Takes the place of the web chat. Everybody who writes has a room of their own; nothing is drawn."""

    name = "web"
    whispers = False

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._inbox: asyncio.Future[Inbox] = asyncio.get_running_loop().create_future()
        self._answers: Mapping[str, asyncio.Future[Handed]] = defaultdict(asyncio.Future)
        self._cards: Mapping[str, asyncio.Future[Handed]] = defaultdict(asyncio.Future)

    async def listen(self, inbox: Inbox) -> None:
        self._inbox.set_result(inbox)
        await asyncio.Event().wait()

    async def say(self, owed: OutboxItem) -> MessageRef:
        handed = Handed(time.perf_counter(), owed)
        content = owed.post.content
        moment = self._cards[content.source.chat] if isinstance(content, Card) else self._answers[owed.post.place.chat]
        if not moment.done():
            moment.set_result(handed)
        return owed.edits or MessageRef(self.name, owed.post.place.chat, f"post {owed.id}")

    async def fetch(self, media: Media) -> bytes:
        raise Refused("nothing is attached to anything here")

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        return person == LEAD

    def delay(self, item: OutboxItem) -> timedelta:
        return timedelta(0)

    async def may_handle(self, person: Person, room: Place) -> bool:
        return person == LEAD

    def healthy(self) -> bool:
        return True

    async def writes(self, room: str, text: str) -> float:
        """A person writes; returns the moment it was stored, when a platform would acknowledge it."""
        ref = MessageRef(self.name, room, "1")
        author = Person(self.name, room, "Cleo", "en")
        await (await self._inbox).message(Message(ref, Place(self.name, room, "1"), author, text, _now()))
        return time.perf_counter()

    async def corrects(self, card: OutboxItem, emoji: str) -> float:
        """The lead reacts on a card; returns the moment it was stored."""
        ref = MessageRef(self.name, card.post.place.chat, f"post {card.id}")
        await (await self._inbox).reaction(Reaction(ref, LEAD, emoji, True, _now()))
        return time.perf_counter()

    async def chooses(self, question: OutboxItem, value: str) -> None:
        """The person presses a button of a question."""
        room = question.post.place.chat
        ref, person = MessageRef(self.name, room, f"post {question.id}"), Person(self.name, room, "Cleo", "en")
        await (await self._inbox).press(Press(ref, person, value, _now()))

    async def answer(self, room: str) -> Handed:
        """The first post to the person in that room. Raises TimeoutError."""
        return await asyncio.wait_for(asyncio.shield(self._answers[room]), self._patience)

    async def card(self, room: str) -> Handed:
        """The first card of the person in that room. Raises TimeoutError."""
        return await asyncio.wait_for(asyncio.shield(self._cards[room]), self._patience)


@asynccontextmanager
async def staged(
    settings: Settings, store: Store, models: ModelStack, patience: float = _PATIENCE
) -> AsyncIterator[Stage]:
    """All steps of the bot on such a chat, kept running as in a run until the context ends."""
    stage = Stage(patience)
    running = asyncio.create_task(_run(settings, store, models, stage), name="the bot")
    try:
        yield stage
    finally:
        running.cancel()
        await asyncio.wait({running})


def unhurried(settings: Settings) -> Settings:
    """The same settings without waiting for people to finish typing."""
    return replace(settings, timing=replace(settings.timing, settle=timedelta(0)))


def unasked(settings: Settings) -> Settings:
    """The same settings without questions to people, however unsure the voices are: every message becomes a card."""
    return replace(settings, tasks=tuple(replace(task, ask_below=0.0) for task in settings.tasks))


async def _run(settings: Settings, store: Store, models: ModelStack, stage: Stage) -> None:
    share_interpreter()
    compute_alone()
    async with asyncio.TaskGroup() as group:
        wakeups = start_chat_steps(group, settings, store, models, {stage.name: stage})
        start_model_steps(group, settings, store, models, wakeups)


def _now() -> datetime:
    return datetime.now(UTC)


_: type[Platform] = Stage
