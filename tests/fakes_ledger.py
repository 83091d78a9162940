"""A ledger and an outbox that hand out what a test gives them, and keep what a step concludes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain import ports
from bot.domain.conversations import (
    CardState,
    Meaning,
    OverdueConversation,
    PendingEdit,
    PendingFollowUp,
    PendingNote,
    PendingPress,
    PendingReactions,
    UndecidedConversation,
)
from bot.domain.decisions import Decision
from bot.domain.messages import Deletion, Edit, Fact, Message, MessageRef, Note, Person, Press, Reaction
from bot.domain.model_ports import Vector
from bot.domain.ports import Change, ThreadingPolicy
from bot.domain.posts import Content, OutboxItem, Post

T = TypeVar("T")


@dataclass(frozen=True)
class Concluded:
    """What a step made of something it had claimed."""

    of: object
    outcome: object
    posts: tuple[Post, ...]

    def contents(self) -> list[Content]:
        return [post.content for post in self.posts]


@dataclass
class FakeLedger:
    """Everything claimed is handed out once. What came in is in `stored`; a repeat of it is refused."""

    cases: list[UndecidedConversation] = field(default_factory=list)
    presses: list[PendingPress] = field(default_factory=list)
    pendings: list[PendingReactions] = field(default_factory=list)
    news: list[PendingFollowUp] = field(default_factory=list)
    notes: list[PendingNote] = field(default_factory=list)
    revised: list[PendingEdit] = field(default_factory=list)
    waiting: list[OverdueConversation] = field(default_factory=list)
    stored: list[object] = field(default_factory=list)
    concluded: list[Concluded] = field(default_factory=list)
    languages: dict[str, str] = field(default_factory=dict)
    turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    def _store(self, fact: object) -> bool:
        if fact in self.stored:
            return False
        self.stored.append(fact)
        return True

    def _conclude(self, of: object, outcome: object, posts: Sequence[Post]) -> None:
        self.concluded.append(Concluded(of, outcome, tuple(posts)))

    # --- what comes in ---

    async def add_message(self, message: Message, policy: ThreadingPolicy) -> bool:
        return self._store(message)

    async def add_edit(self, edit: Edit) -> bool:
        return self._store(edit)

    async def add_deletion(self, deletion: Deletion) -> bool:
        return self._store(deletion)

    async def add_note(self, note: Note) -> bool:
        return self._store(note)

    async def add_reaction(self, reaction: Reaction) -> bool:
        return self._store(reaction)

    async def add_press(self, press: Press) -> bool:
        return self._store(press)

    async def move_chat(self, platform: str, before: str, after: str) -> None:
        self._store((platform, before, after))

    async def add_facts(self, facts: Sequence[Fact], policy: ThreadingPolicy) -> Sequence[bool | Exception]:
        return [self._store(fact) for fact in facts]

    async def name_person(self, person: Person) -> None:
        self._store(person)

    async def leave(self, person: Person, chat: str, now: datetime) -> bool:
        return self._store(("left", person.id, chat))

    async def prefer(self, person: Person, language: str) -> None:
        self.languages[person.key] = language

    async def preferred(self, person: Person) -> str | None:
        return self.languages.get(person.key)

    # --- what is looked at ---

    async def claim_undecided(
        self, now: datetime, settle: timedelta, patience: timedelta, limit: int
    ) -> list[UndecidedConversation]:
        return _taken(self.cases, limit)

    async def decide(
        self, case: UndecidedConversation, decision: Decision, posts: Sequence[Post], text: str, vector: Vector | None
    ) -> bool:
        self._conclude(case, decision, posts)
        return True

    async def ask_for_words(self, case: UndecidedConversation, posts: Sequence[Post]) -> bool:
        self._conclude(case, None, posts)
        return True

    async def claim_presses(self, now: datetime, limit: int) -> list[PendingPress]:
        return _taken(self.presses, limit)

    async def conclude_press(
        self, pressed: PendingPress, meaning: Meaning, posts: Sequence[Post], now: datetime
    ) -> None:
        self._conclude(pressed, meaning, posts)

    async def claim_reactions(self, now: datetime, limit: int) -> list[PendingReactions]:
        return _taken(self.pendings, limit)

    async def conclude_reactions(
        self,
        pending: PendingReactions,
        decision: Decision | None,
        standing: CardState,
        posts: Sequence[Post],
        now: datetime,
    ) -> None:
        self._conclude(pending, (decision, standing), posts)

    async def claim_follow_ups(self, now: datetime, limit: int) -> list[PendingFollowUp]:
        return _taken(self.news, limit)

    async def conclude_follow_up(
        self, said: PendingFollowUp, posts: Sequence[Post], now: datetime, opens: bool = True
    ) -> None:
        self._conclude(said, opens, posts)

    async def claim_edits(self, now: datetime, limit: int) -> list[PendingEdit]:
        return _taken(self.revised, limit)

    async def conclude_edit(self, revised: PendingEdit, posts: Sequence[Post], now: datetime) -> None:
        self._conclude(revised, None, posts)

    async def claim_notes(self, now: datetime, limit: int) -> list[PendingNote]:
        return _taken(self.notes, limit)

    async def conclude_note(self, noted: PendingNote, sent: bool, posts: Sequence[Post], now: datetime) -> None:
        self._conclude(noted, sent, posts)

    async def claim_overdue(self, now: datetime, after: timedelta, limit: int) -> list[OverdueConversation]:
        return _taken(self.waiting, limit)

    async def conclude_reminder(self, waiting: OverdueConversation, posts: Sequence[Post], now: datetime) -> None:
        self._conclude(waiting, None, posts)

    @asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[None]:
        async with self.turns.setdefault(what, asyncio.Lock()):
            yield

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[frozenset[Change]]]:
        yield _nothing()


@dataclass
class FakeOutbox:
    """Hands out what a test owes, and keeps what became of it."""

    owed: list[OutboxItem] = field(default_factory=list)
    concluded: list[Concluded] = field(default_factory=list)
    """Outcomes: the receipt; the time of the next attempt; or (problem, decision)."""
    added: list[Post] = field(default_factory=list)

    async def claim_due(self, platforms: Sequence[str], now: datetime, limit: int) -> list[OutboxItem]:
        return _taken(self.owed, limit)

    async def said(self, item: OutboxItem, ref: MessageRef, now: datetime, posts: Sequence[Post] = ()) -> None:
        self.concluded.append(Concluded(item, ref, tuple(posts)))

    async def postpone(self, item: OutboxItem, until: datetime, problem: str) -> None:
        self.concluded.append(Concluded(item, until, ()))

    async def give_up(
        self,
        item: OutboxItem,
        problem: str,
        now: datetime,
        posts: Sequence[Post] = (),
        decision: Decision | None = None,
    ) -> None:
        self.concluded.append(Concluded(item, (problem, decision), tuple(posts)))

    async def add(self, posts: Sequence[Post], now: datetime) -> None:
        self.added += posts


def _taken(waiting: list[T], limit: int) -> list[T]:
    taken, waiting[:] = waiting[:limit], waiting[limit:]
    return taken


async def _nothing() -> AsyncIterator[frozenset[Change]]:
    for _ in ():
        yield frozenset()


_ledger: type[ports.Ledger] = FakeLedger
_outbox: type[ports.Outbox] = FakeOutbox
