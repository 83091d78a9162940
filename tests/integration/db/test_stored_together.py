"""Decisions and receipts stored many at a time: as if each were stored alone, and none waits for another's lock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from bot.domain.conversations import Decided, State, UndecidedConversation
from bot.domain.decisions import Decision
from bot.domain.errors import SwitchboardError
from bot.domain.messages import MessageRef
from bot.domain.posts import OutboxItem, Receipt
from bot.flow.batch import Batch
from db.engine import Database, open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.tables import ConversationRow, DecisionRow, MessageRow, PostRow
from tests.integration.db.scenes import (
    JOINING,
    PATIENCE,
    SETTLE,
    SURE,
    UNSURE,
    VECTOR,
    after,
    decide,
    message,
    posts_for,
)


async def _cases(ledger: PostgresLedger, count: int) -> list[UndecidedConversation]:
    for number in range(count):
        await ledger.add_message(message(f"m{number}", chat=f"chat-{number}"), JOINING)
    cases = await ledger.claim_undecided(after(9), SETTLE, PATIENCE, count)
    assert len(cases) == count
    return sorted(cases, key=lambda case: case.conversation.id)


def _decided(case: UndecidedConversation, decision: Decision = SURE) -> Decided:
    return Decided(case, decision, tuple(posts_for(case.conversation.id)), "text", VECTOR)


@asynccontextmanager
async def _somebody_at(url: str, table: str, row: int) -> AsyncIterator[None]:
    """Another process holds that row while the context lasts."""
    async with open_database(url) as other, other.transaction() as session:
        await session.execute(text(f"SELECT 1 FROM {table} WHERE id = :row FOR UPDATE"), {"row": row})  # noqa: S608
        yield


async def test_many_decisions_are_stored_as_each_alone_would_be(ledger: PostgresLedger, database: Database) -> None:
    cases = await _cases(ledger, 4)
    decided = [_decided(case, UNSURE if number == 3 else SURE) for number, case in enumerate(cases)]
    assert await ledger.decide_all(decided) == [True] * 4
    ids = [case.conversation.id for case in cases]
    async with database.transaction() as session:
        rows = (await session.scalars(select(ConversationRow).order_by(ConversationRow.id))).all()
        assert [row.state for row in rows] == [State.ROUTED] * 3 + [State.ASKED]
        assert [row.label for row in rows] == [SURE.label] * 3 + [None]
        assert [row.text for row in rows] == ["text"] * 4
        assert [None if row.vector is None else tuple(row.vector) for row in rows] == [tuple(VECTOR)] * 4
        assert {row.leased_until for row in rows} == {None}
        made = Counter(await session.scalars(select(DecisionRow.conversation_id)))
        assert made == Counter(ids)
        owed = Counter(await session.scalars(select(PostRow.conversation_id)))
        assert owed == Counter({of: len(posts_for(of)) for of in ids})
        rows_read = await session.execute(select(MessageRow.conversation_id, MessageRow.decided))
        read = {of: was_read for of, was_read in rows_read}  # noqa: C416 - typed so
        assert read == {**dict.fromkeys(ids[:3], True), ids[3]: False}


async def test_each_keeps_its_own_vector_and_one_without_keeps_none(ledger: PostgresLedger, database: Database) -> None:
    cases = await _cases(ledger, 4)
    vectors = [(0.1, 0.2, 0.3), None, (0.4, 0.5, 0.6), (0.7, -0.8, 0.9)]
    decided = [replace(_decided(case), vector=vector) for case, vector in zip(cases, vectors, strict=True)]
    assert await ledger.decide_all(decided) == [True] * 4
    async with database.transaction() as session:
        rows = (await session.scalars(select(ConversationRow).order_by(ConversationRow.id))).all()
    assert [None if row.vector is None else pytest.approx(row.vector) for row in rows] == vectors
    assert [row.embedder for row in rows] == ["tiny", None, "tiny", "tiny"]


async def test_one_that_was_overtaken_takes_nothing_from_the_others(ledger: PostgresLedger) -> None:
    cases = await _cases(ledger, 3)
    await ledger.add_message(message("news", chat="chat-1", seconds=1), JOINING)
    assert await ledger.decide_all([_decided(case) for case in cases]) == [True, False, True]
    assert not await decide(ledger, cases[1], SURE, [], "text", VECTOR)


async def test_one_that_somebody_else_is_at_holds_up_nobody(ledger: PostgresLedger, database_url: str) -> None:
    cases = await _cases(ledger, 3)
    async with _somebody_at(database_url, "conversations", cases[1].conversation.id):
        assert await ledger.decide_all([_decided(case) for case in cases]) == [True, False, True]
    assert await decide(ledger, cases[1], SURE, [], "text", VECTOR), "alone it waits for its turn"


async def test_one_that_cannot_be_stored_fails_alone(ledger: PostgresLedger) -> None:
    cases = await _cases(ledger, 3)
    poison = replace(_decided(cases[1]), vector=(float("nan"), 1.0))
    batch = Batch(ledger.decide_all, most=32, calls=4)
    wanted = [_decided(cases[0]), poison, _decided(cases[2])]
    ends = await asyncio.gather(*map(batch.one, wanted), return_exceptions=True)
    assert (ends[0], ends[2]) == (True, True)
    assert isinstance(ends[1], SwitchboardError)


async def _on_their_way(ledger: PostgresLedger, outbox: PostgresOutbox) -> list[OutboxItem]:
    cases = await _cases(ledger, 3)
    assert all(await ledger.decide_all([_decided(case) for case in cases]))
    return await outbox.claim_due(["slack", "telegram", "web"], after(10), 32)


def _receipts(items: list[OutboxItem]) -> list[Receipt]:
    return [Receipt(item, MessageRef(item.post.place.platform, item.post.place.chat, f"r{item.id}")) for item in items]


async def test_posts_whose_receipts_came_together_are_never_said_again(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    items = await _on_their_way(ledger, outbox)
    assert await outbox.said_all(_receipts(items), after(11)) == [True] * len(items)
    assert await outbox.said_all(_receipts(items), after(12)) == [False] * len(items), "said once"
    async with database.transaction() as session:
        found = select(PostRow.id, PostRow.receipt_id, PostRow.said_at).where(PostRow.said_at.is_not(None))
        said = {post: (ref, at) for post, ref, at in await session.execute(found)}
    assert said == {item.id: (f"r{item.id}", after(11)) for item in items}
    much_later = after(600) + timedelta(hours=1)
    again = await outbox.claim_due(["slack", "telegram", "web"], much_later, 32)
    assert {item.id for item in again}.isdisjoint(said)


async def test_a_receipt_waits_for_no_other(ledger: PostgresLedger, outbox: PostgresOutbox, database_url: str) -> None:
    items = await _on_their_way(ledger, outbox)
    async with _somebody_at(database_url, "posts", items[0].id):
        stored = await outbox.said_all(_receipts(items), after(11))
    assert stored == [False, *[True] * (len(items) - 1)]
