"""The record of conversations: every method is one transaction; the story of each is in the file it names."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from bot.domain.conversations import Case, Dossier, Meaning, Next, Noted, Pressed, Revised, Standing, Waiting
from bot.domain.decisions import Decision
from bot.domain.messages import Deletion, Edit, Message, Note, Person, Press, Reaction
from bot.domain.mind import Vector
from bot.domain.ports import Change, Joining, Ledger
from bot.domain.posts import Post
from db import cases, dossiers, intake, notes, people, presses, relays, reminders, revising
from db.changes import listen
from db.engine import Database
from db.turns import alone


class PostgresLedger:
    """The ledger in PostgreSQL. `embedder` names the model whose vectors `decide` is given.

    One conversation is at one step at a time: whatever claims it holds it for 60 seconds. A conclusion about a
    conversation that moved on meanwhile is dropped and its work comes again.
    """

    def __init__(self, database: Database, embedder: str) -> None:
        self._database = database
        self._embedder = embedder

    async def add_message(self, message: Message, joining: Joining) -> bool:
        async with self._database.transaction() as session:
            return await intake.add_message(session, message, joining)

    async def add_edit(self, edit: Edit) -> bool:
        async with self._database.transaction() as session:
            return await revising.add_edit(session, edit)

    async def add_deletion(self, deletion: Deletion) -> bool:
        async with self._database.transaction() as session:
            return await revising.add_deletion(session, deletion)

    async def add_note(self, note: Note) -> bool:
        async with self._database.transaction() as session:
            return await notes.add_note(session, note)

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
            return await intake.add_reaction(session, reaction)

    async def add_press(self, press: Press) -> bool:
        async with self._database.transaction() as session:
            return await intake.add_press(session, press)

    async def claim_cases(self, now: datetime, settle: timedelta, patience: timedelta, limit: int) -> list[Case]:
        async with self._database.transaction() as session:
            return await cases.claim_cases(session, now, settle, patience, limit)

    async def decide(
        self, case: Case, decision: Decision, posts: Sequence[Post], text: str, vector: Vector | None
    ) -> bool:
        async with self._database.transaction() as session:
            return await cases.decide(session, case, decision, posts, cases.kept(text, vector, self._embedder))

    async def ask_for_words(self, case: Case, posts: Sequence[Post]) -> bool:
        async with self._database.transaction() as session:
            return await cases.ask_for_words(session, case, posts)

    async def claim_presses(self, now: datetime, limit: int) -> list[Pressed]:
        async with self._database.transaction() as session:
            return await presses.claim_presses(session, now, limit)

    async def conclude_press(self, pressed: Pressed, meaning: Meaning, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await presses.conclude_press(session, pressed, meaning, posts, now)

    async def claim_dossiers(self, now: datetime, limit: int) -> list[Dossier]:
        async with self._database.transaction() as session:
            return await dossiers.claim_dossiers(session, now, limit)

    async def conclude_dossier(
        self,
        dossier: Dossier,
        decision: Decision | None,
        standing: Standing,
        posts: Sequence[Post],
        now: datetime,
    ) -> None:
        async with self._database.transaction() as session:
            await dossiers.conclude_dossier(session, dossier, decision, standing, posts, now)

    async def claim_next(self, now: datetime, limit: int) -> list[Next]:
        async with self._database.transaction() as session:
            return await relays.claim_next(session, now, limit)

    async def conclude_next(self, said: Next, posts: Sequence[Post], now: datetime, opens: bool = True) -> None:
        async with self._database.transaction() as session:
            await relays.conclude_next(session, said, posts, now, opens)

    async def claim_revised(self, now: datetime, limit: int) -> list[Revised]:
        async with self._database.transaction() as session:
            return await revising.claim_revised(session, now, limit)

    async def conclude_revised(self, revised: Revised, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await revising.conclude_revised(session, revised, posts, now)

    async def claim_notes(self, now: datetime, limit: int) -> list[Noted]:
        async with self._database.transaction() as session:
            return await notes.claim_notes(session, now, limit)

    async def conclude_note(self, noted: Noted, sent: bool, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await notes.conclude_note(session, noted, sent, posts, now)

    async def claim_waiting(self, now: datetime, after: timedelta, limit: int) -> list[Waiting]:
        async with self._database.transaction() as session:
            return await reminders.claim_waiting(session, now, after, limit)

    async def conclude_waiting(self, waiting: Waiting, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await reminders.conclude_waiting(session, waiting, posts, now)

    def alone(self, what: str) -> AbstractAsyncContextManager[None]:
        return alone(self._database, what)

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[frozenset[Change]]]:
        return listen(self._database)


_: type[Ledger] = PostgresLedger
