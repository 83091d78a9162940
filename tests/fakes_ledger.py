"""A ledger and an outbox that return what a test gives them, and keep what a step concludes."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain import ports
from bot.domain.consequences import Effects
from bot.domain.conversations import (
    CardState,
    Decided,
    LookedUp,
    OverdueConversation,
    PendingEdit,
    PendingFollowUp,
    PendingNote,
    PendingReactions,
    UnansweredConversation,
    UndecidedConversation,
)
from bot.domain.decisions import Decision
from bot.domain.errors import Unreachable
from bot.domain.ledger import Change, Ledger, Stored, ThreadingPolicy
from bot.domain.messages import (
    Deletion,
    Edit,
    Fact,
    Message,
    MessageRef,
    Note,
    Person,
    Place,
    Press,
    Reaction,
)
from bot.domain.posts import Content, OutboxItem, Post, Receipt
from bot.domain.presses import Button, Meaning, PendingPress
from bot.domain.team_changes import Teamless

T = TypeVar("T")


@dataclass(frozen=True)
class Concluded:
    """What a step made of an item that it had claimed."""

    of: object
    outcome: object
    posts: tuple[Post, ...]

    def contents(self) -> list[Content]:
        return [post.content for post in self.posts]


Claimed = (
    UndecidedConversation
    | PendingPress
    | PendingReactions
    | PendingFollowUp
    | PendingNote
    | PendingEdit
    | OverdueConversation
    | UnansweredConversation
    | Teamless
)


@dataclass
class FakeLedger:
    """Returns each item to claim once. `stored` holds what came in; a repeated fact is refused."""

    cases: list[UndecidedConversation] = field(default_factory=list)
    presses: list[PendingPress] = field(default_factory=list)
    pendings: list[PendingReactions] = field(default_factory=list)
    news: list[PendingFollowUp] = field(default_factory=list)
    notes: list[PendingNote] = field(default_factory=list)
    teamless: list[Teamless] = field(default_factory=list)
    revised: list[PendingEdit] = field(default_factory=list)
    waiting: list[OverdueConversation] = field(default_factory=list)
    unanswered: list[UnansweredConversation] = field(default_factory=list)
    stored: list[object] = field(default_factory=list)
    concluded: list[Concluded] = field(default_factory=list)
    languages: dict[str, str] = field(default_factory=dict)
    teams: set[MessageRef] = field(default_factory=set)
    """What is written under these refs is internal to a team."""
    looked_up: list[LookedUp] = field(default_factory=list)
    """The people whose reactions counted, of every conclusion."""
    postponed: list[tuple[PendingNote, datetime]] = field(default_factory=list)
    buttons: dict[MessageRef, Button] = field(default_factory=dict)
    parts: dict[MessageRef, MessageRef] = field(default_factory=dict)
    before: list[MessageRef] = field(default_factory=list)
    known: set[MessageRef] = field(default_factory=set)
    others_saying: bool = False
    """Whether another process is saying something, wherever it is asked about."""
    rooms: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    turns: dict[str, asyncio.Lock] = field(default_factory=dict)
    trouble: dict[int, Exception | None] = field(default_factory=dict)
    """What concluding something about a conversation raises; None: it never ends."""
    wanted: list[MessageRef] = field(default_factory=list)
    """Messages that somebody made a request of."""
    overtaken: set[int] = field(default_factory=set)
    """Conversations in which a message came in between: `decide_one` and `ask_for_words` store nothing, once."""

    def _store(self, fact: object) -> bool:
        if fact in self.stored:
            return False
        self.stored.append(fact)
        return True

    async def _conclude(self, of: Claimed, outcome: object, posts: Sequence[Post]) -> None:
        await _stumble(self.trouble, of.conversation.id)
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

    async def make_request(self, ref: MessageRef, now: datetime) -> bool:
        self.wanted.append(ref)
        return any(isinstance(fact, Message) and fact.ref == ref for fact in self.stored)

    async def add_press(self, press: Press) -> bool:
        return self._store(press)

    async def move_chat(self, platform: str, before: str, after: str) -> None:
        self._store((platform, before, after))
        self.moved[before] = after

    async def is_of_a_team(self, under: MessageRef, ours: bool) -> bool:
        return under in self.teams

    async def add_part(self, part: MessageRef, whole: MessageRef) -> None:
        self.parts[part] = whole

    async def refs_around(self, post: int) -> tuple[Sequence[MessageRef], Sequence[MessageRef]]:
        return self.before, [*self.before, *self.known]

    async def known_refs(self, platform: str, chat: str, ids: Sequence[str]) -> frozenset[str]:
        known = {ref.id for ref in (*self.known, *self.parts) if (ref.platform, ref.chat) == (platform, chat)}
        return frozenset(known & set(ids))

    async def parts_of(self, ref: MessageRef) -> int:
        return list(self.parts.values()).count(ref)

    async def others_say(self, post: int, platform: str, chat: str) -> bool:
        return self.others_saying

    async def add_room(self, instead_of: Place, room: Place) -> None:
        self.rooms[instead_of.chat] = room.chat

    async def learned_rooms(self, platform: str) -> Mapping[str, str]:
        return self.rooms

    async def moved_chats(self, platform: str) -> Mapping[str, str]:
        return self.moved

    async def add_facts(self, facts: Sequence[Fact], policy: ThreadingPolicy) -> Sequence[Stored | Exception]:
        return [Stored(self._store(fact)) for fact in facts]

    async def name_person(self, person: Person) -> None:
        self._store(person)

    async def leave(self, person: Person, chat: str, now: datetime) -> bool:
        said = [fact for fact in self.stored if isinstance(fact, Message)]
        there = any((fact.author.key, fact.ref.chat) == (person.key, chat) for fact in said)
        return there and self._store(("left", person.id, chat))

    async def prefer(self, person: Person, language: str) -> None:
        self.languages[person.key] = language

    async def preferred(self, person: Person) -> str | None:
        return self.languages.get(person.key)

    # --- what is claimed ---

    async def button(self, ref: MessageRef) -> Button | None:
        return self.buttons.get(ref)

    async def claim_undecided(
        self, now: datetime, settle: timedelta, patience: timedelta, limit: int
    ) -> list[UndecidedConversation]:
        return _taken(self.cases, limit)

    async def decide_one(self, decided: Decided) -> bool:
        return await self._decided(decided.case, decided.decision, decided.posts)

    async def claim_unanswered(self, now: datetime, limit: int) -> list[UnansweredConversation]:
        return _taken(self.unanswered, limit)

    async def conclude_answers(
        self,
        case: UnansweredConversation,
        found: Sequence[Decision],
        effects: Effects,
        posts: Sequence[Post],
        unanswered: bool,
        now: datetime,
    ) -> None:
        await self._conclude(case, (tuple(found), effects, unanswered), posts)

    async def decide_all(self, decided: Sequence[Decided]) -> Sequence[bool]:
        """Decide those without trouble; the others are to be decided alone."""
        free = [one.case.conversation.id not in {*self.trouble, *self.overtaken} for one in decided]
        for one, alone in zip(decided, free, strict=True):
            if alone:
                await self._conclude(one.case, one.decision, one.posts)
        return free

    async def ask_for_words(self, case: UndecidedConversation, posts: Sequence[Post]) -> bool:
        return await self._decided(case, None, posts)

    async def _decided(self, case: UndecidedConversation, decision: Decision | None, posts: Sequence[Post]) -> bool:
        if case.conversation.id in self.overtaken:
            self.overtaken.remove(case.conversation.id)
            self.cases.append(case)
            return False
        await self._conclude(case, decision, posts)
        return True

    async def claim_presses(self, now: datetime, limit: int) -> list[PendingPress]:
        return _taken(self.presses, limit)

    async def conclude_press(
        self, pressed: PendingPress, meaning: Meaning, posts: Sequence[Post], now: datetime
    ) -> None:
        await self._conclude(pressed, meaning, posts)

    async def claim_reactions(self, now: datetime, limit: int) -> list[PendingReactions]:
        return _taken(self.pendings, limit)

    async def conclude_reactions(
        self,
        pending: PendingReactions,
        decision: Decision | None,
        standing: CardState,
        posts: Sequence[Post],
        now: datetime,
        looked_up: LookedUp | None = None,
    ) -> None:
        await self._conclude(pending, (decision, standing), posts)
        self.looked_up.append(looked_up or LookedUp())

    async def claim_follow_ups(self, now: datetime, limit: int) -> list[PendingFollowUp]:
        return _taken(self.news, limit)

    async def conclude_follow_up(
        self, said: PendingFollowUp, posts: Sequence[Post], now: datetime, opens: bool = True, passed_on: bool = True
    ) -> None:
        await self._conclude(said, opens, posts)

    async def claim_teamless(self, task: str, now: datetime, limit: int) -> list[Teamless]:
        return _taken(self.teamless, limit)

    async def conclude_teamless(
        self, request: Teamless, decision: Decision, posts: Sequence[Post], now: datetime
    ) -> None:
        await self._conclude(request, decision, posts)

    async def claim_edits(self, now: datetime, limit: int) -> list[PendingEdit]:
        return _taken(self.revised, limit)

    async def conclude_edit(self, revised: PendingEdit, posts: Sequence[Post], now: datetime) -> None:
        await self._conclude(revised, None, posts)

    async def claim_notes(self, now: datetime, limit: int) -> list[PendingNote]:
        return _taken(self.notes, limit)

    async def conclude_note(self, noted: PendingNote, sent: bool, posts: Sequence[Post], now: datetime) -> None:
        await self._conclude(noted, sent, posts)

    async def postpone_note(self, noted: PendingNote, until: datetime) -> None:
        self.postponed.append((noted, until))

    async def claim_overdue(self, now: datetime, after: timedelta, limit: int) -> list[OverdueConversation]:
        return _taken(self.waiting, limit)

    async def conclude_reminder(self, waiting: OverdueConversation, posts: Sequence[Post], now: datetime) -> None:
        await self._conclude(waiting, None, posts)

    @asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[None]:
        async with self.turns.setdefault(what, asyncio.Lock()):
            yield

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[frozenset[Change]]]:
        yield _nothing()


@dataclass
class FakeOutbox:
    """Returns the posts that a test gives it, and keeps their outcomes."""

    owed: list[OutboxItem] = field(default_factory=list)
    concluded: list[Concluded] = field(default_factory=list)
    """Outcomes: the receipt; the time of the next attempt; or (problem, decision)."""
    added: list[Post] = field(default_factory=list)
    reserved: list[tuple[OutboxItem, datetime]] = field(default_factory=list)
    """The turns that were reserved, and their times."""
    away: list[Unreachable] = field(default_factory=list)
    """Raised by the next attempts to store a receipt, one each."""

    async def claim_due(
        self, platforms: Sequence[str], now: datetime, limit: int, busy: Collection[str] = ()
    ) -> list[OutboxItem]:
        mine = [one for one in self.owed if one.post.place.platform in platforms and one.post.place.chat not in busy]
        mine = mine[:limit]
        self.owed = [one for one in self.owed if one not in mine]
        return mine

    async def said(self, item: OutboxItem, ref: MessageRef, now: datetime, posts: Sequence[Post] = ()) -> None:
        self._reached()
        self.concluded.append(Concluded(item, ref, tuple(posts)))

    async def said_all(self, receipts: Sequence[Receipt], now: datetime) -> Sequence[bool]:
        self._reached()
        self.concluded += [Concluded(one.item, one.ref, ()) for one in receipts]
        return [True] * len(receipts)

    async def postpone(self, item: OutboxItem, until: datetime, problem: str) -> None:
        self.concluded.append(Concluded(item, until, ()))

    async def reserve(self, item: OutboxItem, until: datetime) -> None:
        self.reserved.append((item, until))

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

    def _reached(self) -> None:
        if self.away:
            raise self.away.pop()


async def _stumble(trouble: Mapping[int, Exception | None], over: int) -> None:
    if over not in trouble:
        return
    error = trouble[over]
    if error is None:
        await asyncio.Event().wait()
    else:
        raise error


def _taken(waiting: list[T], limit: int) -> list[T]:
    taken, waiting[:] = waiting[:limit], waiting[limit:]
    return taken


async def _nothing() -> AsyncIterator[frozenset[Change]]:
    for _ in ():
        yield frozenset()


_ledger: type[Ledger] = FakeLedger
_outbox: type[ports.Outbox] = FakeOutbox
