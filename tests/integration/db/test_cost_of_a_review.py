"""A review reads the memory once, however many conversations it looks at, and finds the same as one search each."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.domain.learning import Example, Side, Source
from bot.flow.review import Reviewer
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.memory import PostgresMemory
from db.outcomes import PostgresOutcomes
from tests.integration.db.scenes import TASK, VECTOR, after, routed

MANY = 20


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Counts statements as long as the context lasts: those on examples, and all."""
    made: Counter[str] = Counter()

    def asked(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        made["all"] += 1
        made["examples"] += "FROM examples" in statement

    event.listen(Engine, "before_cursor_execute", asked)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", asked)


@pytest.fixture
async def busy(database: Database, ledger: PostgresLedger) -> Database:
    known = [Example(f"known {n}", "billing", Source.IMPORT, Side.TRAIN, after(0)) for n in range(5)]
    await PostgresExamples(database).add_examples("routing", known)
    memory = PostgresMemory(database, "tiny")
    await memory.remember("tiny", {id: VECTOR for id, _ in await memory.unembedded("tiny", 10)})
    for n in range(MANY):
        await routed(ledger, f"where is refund {n}", f"m{n}", 100 * n)
    return database


async def test_a_review_reads_the_memory_once(busy: Database) -> None:
    results, now = PostgresOutcomes(busy), lambda: after(100 * MANY)
    alone, loading = PostgresMemory(busy, "tiny"), PostgresMemory(busy, "tiny")
    with counting() as one_by_one:
        slow = await Reviewer(results, alone, "tiny", now).review(TASK, timedelta(days=1))
    with counting() as at_once:
        made = await Reviewer(results, loading, "tiny", now, loading.load).review(TASK, timedelta(days=1))
    assert len(made.outcomes) == MANY
    near = {item.outcome.conversation: item.nearest or 0.0 for item in slow.queue}
    assert {item.outcome.conversation: item.nearest or 0.0 for item in made.queue} == pytest.approx(near)
    assert one_by_one["examples"] >= MANY
    assert at_once["examples"] <= 5, "each batch catches up with the table, and compares exactly"
    assert at_once["all"] <= one_by_one["all"] - MANY + 8
