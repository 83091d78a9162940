"""The record of conversations: every method is one transaction; the file it calls describes how it works."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

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
from bot.domain.guards import Guards
from bot.domain.ledger import Change, Ledger, Stored, ThreadingPolicy
from bot.domain.messages import Deletion, Edit, Fact, Message, MessageRef, Note, Person, Place, Press, Reaction
from bot.domain.posts import Post
from bot.domain.presses import Button, Meaning, PendingPress
from bot.domain.team_changes import Teamless
from db.conversations import (
    answers,
    decide,
    edits,
    facts_together,
    follow_ups,
    handed_on,
    intake,
    messages,
    notes,
    people,
    presses,
    reactions,
    reminders,
    requested,
    undecided,
)
from db.engine import Database
from db.posts import lost
from db.server.advisory_locks import alone
from db.server.notifications import listen

log = logging.getLogger(__name__)


class PostgresLedger:
    """The ledger in PostgreSQL. `embedder` names the model whose vectors `decide_one` is given.

    A conversation is at one step at a time: the step that claims it holds it for 60 seconds. A conclusion about a
    conversation that changed meanwhile is dropped, and its work comes again.
    """

    def __init__(self, database: Database, embedder: str, guards: Mapping[str, Guards] | None = None) -> None:
        """`guards` are those of each task; a task without an entry gets the default ones."""
        self._database = database
        self._embedder = embedder
        self._guards = guards or {}

    async def add_message(self, message: Message, policy: ThreadingPolicy) -> bool:
        async with self._database.transaction() as session:
            return (await messages.add_messages(session, [message], policy))[0].new

    async def add_edit(self, edit: Edit) -> bool:
        async with self._database.transaction() as session:
            return (await edits.add_edit(session, edit)).new

    async def add_deletion(self, deletion: Deletion) -> bool:
        async with self._database.transaction() as session:
            return (await edits.add_deletion(session, deletion)).new

    async def add_note(self, note: Note) -> bool:
        async with self._database.transaction() as session:
            return (await notes.add_note(session, note)).new

    async def is_of_a_team(self, under: MessageRef, ours: bool) -> bool:
        async with self._database.transaction() as session:
            return await notes.is_of_a_team(session, under, ours)

    async def add_part(self, part: MessageRef, whole: MessageRef) -> None:
        async with self._database.transaction() as session:
            await notes.add_part(session, part, whole)

    async def refs_around(self, post: int) -> tuple[Sequence[MessageRef], Sequence[MessageRef]]:
        async with self._database.transaction() as session:
            return await lost.refs_around(session, post)

    async def known_refs(self, platform: str, chat: str, ids: Sequence[str]) -> frozenset[str]:
        async with self._database.transaction() as session:
            return await lost.known_refs(session, platform, chat, ids)

    async def parts_of(self, ref: MessageRef) -> int:
        async with self._database.transaction() as session:
            return await lost.parts_of(session, ref)

    async def others_say(self, post: int, platform: str, chat: str) -> bool:
        async with self._database.transaction() as session:
            return await lost.others_say(session, post, platform, chat)

    async def add_room(self, instead_of: Place, room: Place) -> None:
        async with self._database.transaction() as session:
            await people.add_room(session, instead_of, room)

    async def learned_rooms(self, platform: str) -> Mapping[str, str]:
        async with self._database.transaction() as session:
            return await people.learned_rooms(session, platform)

    async def moved_chats(self, platform: str) -> Mapping[str, str]:
        async with self._database.transaction() as session:
            return await people.moved_chats(session, platform)

    async def add_facts(self, facts: Sequence[Fact], policy: ThreadingPolicy) -> Sequence[Stored | Exception]:
        try:
            async with self._database.transaction() as session:
                return await facts_together.add_facts(session, facts, policy)
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 - which of them it was, only each by itself can say
            return [error] if len(facts) == 1 else await self._one_by_one(facts, policy)

    async def _one_by_one(self, facts: Sequence[Fact], policy: ThreadingPolicy) -> list[Stored | Exception]:
        log.warning("storing facts one by one, since one of them cannot be stored", extra={"facts": len(facts)})
        outcomes: list[Stored | Exception] = []
        for fact in facts:
            try:
                outcomes += await self.add_facts([fact], policy)
            except Unreachable as error:
                outcomes.append(error)
        return outcomes

    async def name_person(self, person: Person) -> None:
        async with self._database.transaction() as session:
            await people.name_person(session, person)

    async def leave(self, person: Person, chat: str, now: datetime) -> bool:
        async with self._database.transaction() as session:
            return await people.leave(session, person, chat, now)

    async def prefer(self, person: Person, language: str) -> None:
        async with self._database.transaction() as session:
            await people.prefer(session, person, language)

    async def preferred(self, person: Person) -> str | None:
        async with self._database.transaction() as session:
            return await people.preferred(session, person)

    async def move_chat(self, platform: str, before: str, after: str) -> None:
        async with self._database.transaction() as session:
            await people.move_chat(session, platform, before, after)

    async def add_reaction(self, reaction: Reaction) -> bool:
        async with self._database.transaction() as session:
            return (await intake.add_reaction(session, reaction)).new

    async def make_request(self, ref: MessageRef, now: datetime) -> bool:
        async with self._database.transaction() as session:
            return await requested.make_request(session, ref, now)

    async def add_press(self, press: Press) -> bool:
        async with self._database.transaction() as session:
            return (await intake.add_press(session, press)).new

    async def button(self, ref: MessageRef) -> Button | None:
        async with self._database.transaction() as session:
            return await presses.button(session, ref)

    async def claim_undecided(
        self, now: datetime, settle: timedelta, patience: timedelta, limit: int
    ) -> list[UndecidedConversation]:
        async with self._database.transaction() as session:
            return await undecided.claim_undecided(session, now, settle, patience, limit)

    async def decide_one(self, decided: Decided) -> bool:
        async with self._database.transaction() as session:
            [stored] = await decide.decide_all(session, [decided], self._embedder, wait=True)
            return stored or await undecided.overtaken(session, decided.case)

    async def claim_unanswered(self, now: datetime, limit: int) -> list[UnansweredConversation]:
        async with self._database.transaction() as session:
            return await answers.claim_unanswered(session, now, limit)

    async def conclude_answers(
        self,
        case: UnansweredConversation,
        found: Sequence[Decision],
        effects: Effects,
        posts: Sequence[Post],
        unanswered: bool,
        now: datetime,
    ) -> None:
        async with self._database.transaction() as session:
            await answers.conclude_answers(session, case, found, effects, posts, unanswered, now)

    async def decide_all(self, decided: Sequence[Decided]) -> Sequence[bool]:
        async with self._database.transaction() as session:
            return await decide.decide_all(session, decided, self._embedder, wait=False)

    async def ask_for_words(self, case: UndecidedConversation, posts: Sequence[Post]) -> bool:
        async with self._database.transaction() as session:
            return await undecided.ask_for_words(session, case, posts)

    async def claim_presses(self, now: datetime, limit: int) -> list[PendingPress]:
        async with self._database.transaction() as session:
            return await presses.claim_presses(session, now, limit)

    async def conclude_press(
        self, pressed: PendingPress, meaning: Meaning, posts: Sequence[Post], now: datetime
    ) -> None:
        async with self._database.transaction() as session:
            await presses.conclude_press(session, pressed, meaning, posts, now)

    async def claim_reactions(self, now: datetime, limit: int) -> list[PendingReactions]:
        async with self._database.transaction() as session:
            return await reactions.claim_reactions(session, now, limit)

    async def conclude_reactions(
        self,
        pending: PendingReactions,
        decision: Decision | None,
        standing: CardState,
        posts: Sequence[Post],
        now: datetime,
        looked_up: LookedUp | None = None,
    ) -> None:
        async with self._database.transaction() as session:
            known = looked_up or LookedUp()
            guarded_by = self._guards, self._embedder
            await reactions.conclude_reactions(session, pending, decision, standing, posts, now, known, *guarded_by)

    async def claim_follow_ups(self, now: datetime, limit: int) -> list[PendingFollowUp]:
        async with self._database.transaction() as session:
            return await follow_ups.claim_follow_ups(session, now, limit)

    async def conclude_follow_up(
        self, said: PendingFollowUp, posts: Sequence[Post], now: datetime, opens: bool = True, passed_on: bool = True
    ) -> None:
        async with self._database.transaction() as session:
            await follow_ups.conclude_follow_up(session, said, posts, now, opens, passed_on)

    async def claim_teamless(self, task: str, now: datetime, limit: int) -> list[Teamless]:
        async with self._database.transaction() as session:
            return await handed_on.claim_teamless(session, task, now, limit)

    async def conclude_teamless(
        self, request: Teamless, decision: Decision, posts: Sequence[Post], now: datetime
    ) -> None:
        async with self._database.transaction() as session:
            await handed_on.conclude_teamless(session, request, decision, posts, now)

    async def claim_edits(self, now: datetime, limit: int) -> list[PendingEdit]:
        async with self._database.transaction() as session:
            return await edits.claim_edits(session, now, limit)

    async def conclude_edit(self, revised: PendingEdit, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await edits.conclude_edit(session, revised, posts, now)

    async def claim_notes(self, now: datetime, limit: int) -> list[PendingNote]:
        async with self._database.transaction() as session:
            return await notes.claim_notes(session, now, limit)

    async def conclude_note(self, noted: PendingNote, sent: bool, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await notes.conclude_note(session, noted, sent, posts, now)

    async def postpone_note(self, noted: PendingNote, until: datetime) -> None:
        async with self._database.transaction() as session:
            await notes.postpone_note(session, noted, until)

    async def claim_overdue(self, now: datetime, after: timedelta, limit: int) -> list[OverdueConversation]:
        async with self._database.transaction() as session:
            return await reminders.claim_overdue(session, now, after, limit)

    async def conclude_reminder(self, waiting: OverdueConversation, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await reminders.conclude_reminder(session, waiting, posts, now)

    def alone(self, what: str) -> AbstractAsyncContextManager[None]:
        return alone(self._database, what)

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[frozenset[Change]]]:
        return listen(self._database)


_: type[Ledger] = PostgresLedger
