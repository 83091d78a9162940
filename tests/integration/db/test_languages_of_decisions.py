"""The language of a decision is stored, outlives the decision, and is counted; a downgrade sums the counts again."""

from dataclasses import replace

import psycopg

from bot.domain.decisions import Author, Decision, Reason
from db.conversations import decision_counts
from db.conversations.decisions import record
from db.engine import Database
from db.ledger import PostgresLedger
from db.migrate import downgrade, upgrade
from db.queries import PostgresQueries
from tests.integration.db.scenes import JOINING, SURE, after, claimed, decide, message, posts_for


async def _sorted(ledger: PostgresLedger, language: str | None) -> int:
    await ledger.add_message(message("m1", "onde vejo a fatura"), JOINING)
    case = await claimed(ledger)
    decision = replace(SURE, language=language)
    assert await decide(ledger, case, decision, posts_for(case.conversation.id), "onde vejo a fatura", (1.0, 0.0, 0.0))
    return case.conversation.id


async def test_a_decision_keeps_its_language(ledger: PostgresLedger, database: Database) -> None:
    await _sorted(ledger, "pt")
    account = await PostgresQueries(database).account(message("m1").ref)
    assert account is not None
    assert [made.language for _, made in account.decisions] == ["pt"]


async def test_what_a_lead_rules_later_is_counted_with_the_language_of_the_text(
    ledger: PostgresLedger, database: Database
) -> None:
    conversation = await _sorted(ledger, "pt")
    ruled = Decision("routing", "access", Author.LEAD, Reason.CORRECTED, actor="slack:lead")
    async with database.transaction() as session:
        await record(session, conversation, ruled, after(9))
    expected = {
        ("telegram", "routing", "billing", "model", "pt"): 1,
        ("telegram", "routing", "access", "lead", "pt"): 1,
    }
    assert await PostgresQueries(database).decisions() == expected
    await decision_counts.fold(database)
    assert await PostgresQueries(database).decisions() == expected


async def test_a_text_of_no_language_is_counted_as_that(ledger: PostgresLedger, database: Database) -> None:
    await _sorted(ledger, None)
    assert await PostgresQueries(database).decisions() == {("telegram", "routing", "billing", "model", "und"): 1}


def test_going_back_a_schema_sums_what_was_counted(empty_url: str) -> None:
    upgrade(empty_url)
    row = b"INSERT INTO decision_counts (platform, task, label, by, language, count) "
    row += b"VALUES ('web', 'routing', 'it', 'model', %s, %s)"
    with psycopg.connect(empty_url) as connection:
        connection.execute(row, ("en", 40))
        connection.execute(row, ("pt", 2))
    downgrade(empty_url, "0011")
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT label, count FROM decision_counts").fetchall() == [("it", 42)]
    upgrade(empty_url)
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT language, count FROM decision_counts").fetchall() == [("und", 42)]
