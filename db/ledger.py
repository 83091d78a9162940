"""The record of conversations: every method is one transaction; the story of each is in the file it names."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from bot.domain.conversations import Case, Dossier, Next, Pressed, Ruling
from bot.domain.decisions import Decision
from bot.domain.messages import Message, Press, Reaction
from bot.domain.ports import Change, Ledger, Vector
from bot.domain.posts import Post
from db import cases, dossiers, intake, presses, relays
from db.changes import listen
from db.engine import Database


class PostgresLedger:
    """The ledger in PostgreSQL. `embedder` names the model whose vectors `decide` is given.

    One conversation is at one step at a time: whatever claims it holds it for 60 seconds. A conclusion about a
    conversation that moved on meanwhile is dropped and its work comes again.
    """

    def __init__(self, database: Database, embedder: str) -> None:
        self._database = database
        self._embedder = embedder

    async def add_message(self, message: Message, settle: timedelta, idle: timedelta) -> bool:
        async with self._database.transaction() as session:
            return await intake.add_message(session, message, settle, idle)

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

    async def conclude_press(
        self, pressed: Pressed, decision: Decision | None, posts: Sequence[Post], now: datetime
    ) -> None:
        async with self._database.transaction() as session:
            await presses.conclude_press(session, pressed, decision, posts, now)

    async def claim_dossiers(self, now: datetime, limit: int) -> list[Dossier]:
        async with self._database.transaction() as session:
            return await dossiers.claim_dossiers(session, now, limit)

    async def conclude_dossier(
        self,
        dossier: Dossier,
        decision: Decision | None,
        ruling: Ruling | None,
        posts: Sequence[Post],
        now: datetime,
    ) -> None:
        async with self._database.transaction() as session:
            await dossiers.conclude_dossier(session, dossier, decision, ruling, posts, now)

    async def claim_next(self, now: datetime, limit: int) -> list[Next]:
        async with self._database.transaction() as session:
            return await relays.claim_next(session, now, limit)

    async def conclude_next(self, said: Next, posts: Sequence[Post], now: datetime) -> None:
        async with self._database.transaction() as session:
            await relays.conclude_next(session, said, posts, now)

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[frozenset[Change]]]:
        return listen(self._database)


_: type[Ledger] = PostgresLedger
