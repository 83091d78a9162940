"""However many posts wait for one chat, the next one is found by reading them from an index once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.messages import Place
from bot.domain.posts import Post, WordsPlease
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox, due
from tests.integration.db.scenes import JOINING, ROOM, after, message

FEW, MANY = 500, 5_000
LINEAR = 2.0
"""The most that one of many posts may cost, relative to its share; a quadratic claim costs ten times its share here."""


async def _plan(database: Database, scanning: bool = True) -> dict[str, Any]:
    """PostgreSQL's plan of a claim, and the pages that it read; nothing stays claimed.

    `scanning=False`: a whole table is read only if no index can be used. For a table as small as a test's, PostgreSQL
    may find a scan cheaper, depending on what the vacuum has done so far.
    """
    statement = due().params(platforms=["slack", "telegram"], now=after(10), busy=["nowhere"]).limit(32)
    async with database.transaction() as session:
        connection = await session.connection()
        literal = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        await connection.exec_driver_sql("ANALYZE posts")
        await connection.exec_driver_sql(f"SET LOCAL enable_seqscan = {'on' if scanning else 'off'}")
        explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {literal}")
        plan = explained.scalar_one()
        await session.rollback()
    found: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return found


def _buffers(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


@pytest.mark.parametrize("of_a_conversation", [True, False])
async def test_a_claim_reads_in_proportion_to_what_waits(
    database: Database, outbox: PostgresOutbox, of_a_conversation: bool
) -> None:
    costs = {}
    for waiting, before in ((FEW, 0), (MANY, FEW)):
        await _owe(database, outbox, waiting - before, of_a_conversation)
        costs[waiting] = _buffers(await _plan(database))
    assert costs[MANY] / costs[FEW] < LINEAR * MANY / FEW, costs


async def test_what_waits_is_read_off_an_index_once(database: Database, outbox: PostgresOutbox) -> None:
    await _owe(database, outbox, MANY, of_a_conversation=False)
    async with database.transaction() as session:
        await session.execute(text("UPDATE posts SET said_at = owed_at"))
    await _owe(database, outbox, FEW, of_a_conversation=False)
    nodes = list(_nodes(await _plan(database, scanning=False)))
    scanned = [node for node in nodes if node["Node Type"] == "Seq Scan"]
    assert "posts" not in [node["Relation Name"] for node in scanned], "what was said long ago is not read"
    assert max(node["Actual Loops"] for node in nodes) == 1, "nothing is done once for each post"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


async def test_of_many_that_wait_for_one_chat_one_is_said_and_other_chats_go_on(
    database: Database, outbox: PostgresOutbox
) -> None:
    await _owe(database, outbox, FEW, of_a_conversation=False)
    await outbox.add([Post(Place("telegram", "ann-chat"), WordsPlease("en"))], after(1))
    found = await outbox.claim_due(["slack", "telegram"], after(10), 32)
    assert [item.post.place.chat for item in found] == [ROOM.chat, "ann-chat"]


async def _owe(database: Database, outbox: PostgresOutbox, posts: int, of_a_conversation: bool) -> None:
    """Add so many more posts that wait for one room, all in one thread."""
    await outbox.add([Post(ROOM, WordsPlease("en"))] * posts, after(0))
    if of_a_conversation:
        await PostgresLedger(database, "tiny").add_message(message("m1"), JOINING)
        async with database.transaction() as session:
            await session.execute(text("UPDATE posts SET conversation_id = (SELECT min(id) FROM conversations)"))
