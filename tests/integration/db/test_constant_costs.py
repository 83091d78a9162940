"""Counts and lists use indexes, and each count is made once."""

from collections.abc import Mapping

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.correction_life import Stage
from bot.domain.messages import MessageRef
from db.conversations import decision_counts
from db.engine import Database
from db.erasure import _met_in
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.posts import latest
from db.posts.cancel import OF_ANY_LINE, PENDING
from db.queries import PostgresQueries
from db.reading import correction_facts
from db.registry import PostgresRegistry
from tests.integration.db.scenes import ANN, after, carded, pending, reaction, routed
from tests.integration.db.test_correction_life import corrected, learns
from tests.worlds.many import DECIDED, talked_and_decided


@pytest.fixture
async def busy(database: Database) -> Database:
    """A database with 6,000 closed conversations of two months."""
    await talked_and_decided(database)
    return database


async def test_what_is_shown_to_people_and_to_prometheus_scans_no_large_table(busy: Database) -> None:
    queries, ledger = PostgresQueries(busy), PostgresLedger(busy, "tiny")
    await decision_counts.fold(busy)
    plans = [
        "SELECT count(*) FROM posts WHERE given_up_at IS NOT NULL AND problem NOT IN ('a')",
        "SELECT id FROM conversations WHERE state IN ('asked', 'routed') ORDER BY started_at DESC, id DESC LIMIT 10",
        "SELECT 1 FROM messages WHERE carried_by = 1",
        "SELECT 1 FROM notes WHERE carried_by = 1",
        "SELECT 1 FROM conversations WHERE taken_by = 'slack:a'",
        "SELECT 1 FROM decisions WHERE at > now() - interval '1 hour'",
        "SELECT 1 FROM posts WHERE platform = 'slack' AND answers_chat = 'C1'",
    ]
    async with busy.transaction() as session:
        plans += [
            "SELECT id FROM posts WHERE platform = 'slack' AND chat = 'C-ELSEWHERE' ORDER BY said_at LIMIT 1",
            "SELECT id FROM posts WHERE platform = 'slack' AND receipt_chat = 'C-X' ORDER BY receipt_id LIMIT 1",
        ]
        for query in plans:
            plan = "\n".join((await session.execute(text(f"EXPLAIN {query}"))).scalars())
            large = [table for table in ("posts", "conversations", "decisions") if f"Seq Scan on {table}" in plan]
            assert not large, plan
    assert await queries.doubtful(10) == []
    assert (await queries.week(after(0))).decided == 0
    assert not await ledger.add_reaction(reaction(MessageRef("slack", "C-ELSEWHERE", "1"), "key", 1))


async def test_the_language_of_a_conversation_is_found_by_its_index(busy: Database) -> None:
    """Not by reading all decisions in the order in which they were made until one matches."""
    query = "SELECT language FROM decisions WHERE conversation_id = 3 AND language IS NOT NULL ORDER BY id LIMIT 1"
    async with busy.transaction() as session:
        plan = "\n".join((await session.execute(text(f"EXPLAIN {query}"))).scalars())
    assert "ix_decisions_conversation_id_id" in plan


async def test_whoever_has_one_of_many_conversations_is_found_by_indexes(busy: Database) -> None:
    """If this were one query, it would read every conversation."""
    literal = _met_in(ANN, [ANN.id]).compile(dialect=PGDialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    async with busy.transaction() as session:
        asked = f"EXPLAIN SELECT 1 FROM conversations WHERE id IN ({literal})"  # noqa: S608
        plan = "\n".join(await session.scalars(text(asked)))
    assert "Seq Scan on conversations" not in plan, plan
    for index in ("ix_conversations_platform_person_id", "ix_conversations_taken_by"):
        assert index in plan, plan


async def test_decisions_are_counted_once_and_never_missed(busy: Database) -> None:
    queries = PostgresQueries(busy)
    expected = {
        ("slack", "routing", "billing", "model", "und"): 5700,
        ("slack", "routing", "billing", "lead", "und"): 300,
    }
    assert await queries.decisions() == expected
    async with busy.transaction() as session:
        assert (await decision_counts.counted(session)).uncounted == 0, "so many were worth a fold"
    assert await queries.decisions() == expected
    async with busy.transaction() as session:
        await session.execute(text(DECIDED + " WHERE id % 1000 = 0"))
    grown = {**expected, ("slack", "routing", "billing", "lead", "und"): 306}
    assert await queries.decisions() == grown
    await decision_counts.fold(busy)
    await decision_counts.fold(busy)
    assert await queries.decisions() == grown


async def test_what_waits_is_counted_without_a_look_at_what_was_given_up(busy: Database) -> None:
    async with busy.transaction() as session:
        await session.execute(text("UPDATE posts SET said_at = NULL, given_up_at = owed_at, problem = 'archived'"))
        await session.execute(text("UPDATE posts SET given_up_at = NULL, problem = NULL WHERE id = 1"))
    async with await busy.dedicated() as connection:
        await connection.execute("VACUUM ANALYZE posts")
    backlog = await PostgresQueries(busy).backlog(after(0))
    assert (backlog["unsaid"], backlog["given_up"]) == (1, 11_999)
    async with busy.transaction() as session:
        waiting = select(func.count()).where(PENDING, OF_ANY_LINE)
        literal = waiting.compile(
            dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
            compile_kwargs={"literal_binds": True},
        )
        plan = "\n".join((await session.execute(text(f"EXPLAIN (ANALYZE) {literal}"))).scalars())
    assert "ix_posts_line" in plan and "Rows Removed" not in plan, plan


async def test_corrections_are_counted_anew_only_where_something_was_written(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[object] = []
    real = correction_facts._counted

    async def counted(session: AsyncSession) -> Mapping[tuple[str, Stage], int]:
        counts.append(session)
        return await real(session)

    monkeypatch.setattr(correction_facts, "_counted", counted)
    queries, registry = PostgresQueries(database), PostgresRegistry(database)
    assert await queries.corrections() == {}
    await corrected(ledger, outbox)
    for _ in range(3):
        assert await queries.corrections() == {("routing", Stage.REMEMBERED): 1}
    assert len(counts) == 2
    await learns(registry, "routing-1", 20)
    for _ in range(3):
        assert await queries.corrections() == {("routing", Stage.LEARNED): 1}
    assert len(counts) == 3


async def test_one_that_is_stored_late_under_an_early_number_is_counted(busy: Database) -> None:
    queries = PostgresQueries(busy)
    async with busy.transaction() as slow:
        await slow.execute(text(DECIDED + " WHERE id = 1"))
        async with busy.transaction() as quick:
            await quick.execute(text(DECIDED + " WHERE id = 2"))
        await decision_counts.fold(busy)  # cannot get the lock now, and leaves the row out
        assert sum((await queries.decisions()).values()) == 6001
    await decision_counts.fold(busy)
    assert sum((await queries.decisions()).values()) == 6002


async def test_a_claim_looks_at_the_cards_once(
    ledger: PostgresLedger, outbox: PostgresOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(card, "key", 20))
    looks: list[object] = []
    real = latest.all_cards

    async def counted(session: object, ids: object) -> object:
        looks.append(ids)
        return await real(session, ids)  # type: ignore[arg-type]

    monkeypatch.setattr("db.conversations.reactions.all_cards", counted)
    monkeypatch.setattr(latest, "all_cards", counted)
    found = await pending(ledger, 30)
    assert (len(looks), found.card is not None, len(found.cards)) == (1, True, 1)


async def test_the_week_knows_whom_a_team_got_first(ledger: PostgresLedger, database: Database) -> None:
    await routed(ledger, ref="m1")
    await routed(ledger, ref="m2", start=100)
    async with database.transaction() as session:
        await session.execute(text("UPDATE decisions SET at = at - interval '8 days' WHERE id = 1"))
        await session.execute(
            text(
                "INSERT INTO decisions (conversation_id, task, label, by, reason, probabilities, evidence, "
                "candidates, at) "
                "SELECT conversation_id, task, label, 'lead', 'corrected', '{}', '{}', '{}', at + interval '8 days' "
                "FROM decisions WHERE id = 1"
            )
        )
    assert (await PostgresQueries(database).week(after(200))).decided == 1
