"""A ledger and an outbox that hand out what a test gives them, and keep what a step concludes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain import ports
from bot.domain.conversations import Case, Dossier, Meaning, Next, Noted, Pressed, Revised, Standing, Waiting
from bot.domain.decisions import Decision
from bot.domain.messages import Deletion, Edit, Message, MessageRef, Note, Person, Press, Reaction
from bot.domain.mind import Vector
from bot.domain.ports import Change, Joining
from bot.domain.posts import Content, Owed, Post

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

    cases: list[Case] = field(default_factory=list)
    presses: list[Pressed] = field(default_factory=list)
    dossiers: list[Dossier] = field(default_factory=list)
    news: list[Next] = field(default_factory=list)
    notes: list[Noted] = field(default_factory=list)
    revised: list[Revised] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
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

    async def add_message(self, message: Message, joining: Joining) -> bool:
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

    async def leave(self, person: Person, chat: str, now: datetime) -> bool:
        return self._store(("left", person.id, chat))

    async def prefer(self, person: Person, language: str) -> None:
        self.languages[person.key] = language

    async def preferred(self, person: Person) -> str | None:
        return self.languages.get(person.key)

    # --- what is looked at ---

    async def claim_cases(self, now: datetime, settle: timedelta, patience: timedelta, limit: int) -> list[Case]:
        return _taken(self.cases, limit)

    async def decide(
        self, case: Case, decision: Decision, posts: Sequence[Post], text: str, vector: Vector | None
    ) -> bool:
        self._conclude(case, decision, posts)
        return True

    async def ask_for_words(self, case: Case, posts: Sequence[Post]) -> bool:
        self._conclude(case, None, posts)
        return True

    async def claim_presses(self, now: datetime, limit: int) -> list[Pressed]:
        return _taken(self.presses, limit)

    async def conclude_press(self, pressed: Pressed, meaning: Meaning, posts: Sequence[Post], now: datetime) -> None:
        self._conclude(pressed, meaning, posts)

    async def claim_dossiers(self, now: datetime, limit: int) -> list[Dossier]:
        return _taken(self.dossiers, limit)

    async def conclude_dossier(
        self, dossier: Dossier, decision: Decision | None, standing: Standing, posts: Sequence[Post], now: datetime
    ) -> None:
        self._conclude(dossier, (decision, standing), posts)

    async def claim_next(self, now: datetime, limit: int) -> list[Next]:
        return _taken(self.news, limit)

    async def conclude_next(self, said: Next, posts: Sequence[Post], now: datetime, opens: bool = True) -> None:
        self._conclude(said, opens, posts)

    async def claim_revised(self, now: datetime, limit: int) -> list[Revised]:
        return _taken(self.revised, limit)

    async def conclude_revised(self, revised: Revised, posts: Sequence[Post], now: datetime) -> None:
        self._conclude(revised, None, posts)

    async def claim_notes(self, now: datetime, limit: int) -> list[Noted]:
        return _taken(self.notes, limit)

    async def conclude_note(self, noted: Noted, sent: bool, posts: Sequence[Post], now: datetime) -> None:
        self._conclude(noted, sent, posts)

    async def claim_waiting(self, now: datetime, after: timedelta, limit: int) -> list[Waiting]:
        return _taken(self.waiting, limit)

    async def conclude_waiting(self, waiting: Waiting, posts: Sequence[Post], now: datetime) -> None:
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

    owed: list[Owed] = field(default_factory=list)
    concluded: list[Concluded] = field(default_factory=list)
    """Outcomes: the receipt; the time of the next attempt; or (problem, decision)."""
    added: list[Post] = field(default_factory=list)

    async def claim_owed(self, platforms: Sequence[str], now: datetime, limit: int) -> list[Owed]:
        return _taken(self.owed, limit)

    async def said(self, owed: Owed, ref: MessageRef, now: datetime, posts: Sequence[Post] = ()) -> None:
        self.concluded.append(Concluded(owed, ref, tuple(posts)))

    async def postpone(self, owed: Owed, until: datetime, problem: str) -> None:
        self.concluded.append(Concluded(owed, until, ()))

    async def give_up(
        self, owed: Owed, problem: str, now: datetime, posts: Sequence[Post] = (), decision: Decision | None = None
    ) -> None:
        self.concluded.append(Concluded(owed, (problem, decision), tuple(posts)))

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
