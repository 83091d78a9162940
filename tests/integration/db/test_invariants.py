"""Each invariant's alarm is raised if the invariant is broken, and only then."""

import pytest
from sqlalchemy import text

from db.engine import Database
from db.invariants import INVARIANTS, PostgresInvariants
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import after, carded

LATER = after(3_600)
BREAK = {
    "routed_without_decision": "DELETE FROM decisions",
    "routed_without_card": "UPDATE posts SET given_up_at = now() WHERE kind = 'Card'",
    "two_cards_in_force": """INSERT INTO posts (conversation_id, platform, chat, kind, content, owed_at, not_before,
        attempts, said_at) SELECT conversation_id, platform, chat, kind, content, owed_at, not_before, 1, said_at
        FROM posts WHERE kind = 'Card'""",
    "words_not_passed_on": "UPDATE messages SET concluded_at = NULL",
    "posts_never_claimed": "UPDATE posts SET said_at = NULL, attempts = 0 WHERE kind = 'Answer'",
}


async def test_a_conversation_like_others_breaks_none(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await carded(ledger, outbox)
    assert await PostgresInvariants(database).broken(LATER) == dict.fromkeys(INVARIANTS, 0)


async def test_a_card_that_was_moved_by_a_new_wording_is_none_of_two(
    database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await carded(ledger, outbox)
    async with database.transaction() as session:
        await session.execute(text(BREAK["two_cards_in_force"]))
        await session.execute(
            text("""INSERT INTO posts (conversation_id, platform, chat, kind, content, edits, owed_at, not_before,
            attempts, said_at) SELECT conversation_id, platform, chat, kind,
            content || '{"moved_to": "access"}', id, owed_at, not_before, 1, said_at
            FROM posts WHERE id = (SELECT min(id) FROM posts WHERE kind = 'Card')""")
        )
    assert await PostgresInvariants(database).broken(LATER) == dict.fromkeys(INVARIANTS, 0)


@pytest.mark.parametrize("invariant", INVARIANTS)
async def test_each_rings_by_itself_once_it_had_time_to_mend(
    invariant: str, database: Database, ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await carded(ledger, outbox)
    async with database.transaction() as session:
        await session.execute(text(BREAK[invariant]))
    invariants = PostgresInvariants(database)
    assert await invariants.broken(LATER) == dict.fromkeys(INVARIANTS, 0) | {invariant: 1}
    assert await invariants.broken(after(60)) == dict.fromkeys(INVARIANTS, 0)
