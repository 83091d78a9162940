"""The clock was an hour ahead and is corrected: nothing waits for that hour."""

import pytest

from bot.domain.failures import Failure, ItemKey
from bot.domain.posts import Post, WordsPlease
from db.engine import Database
from db.failed_items import PostgresFailedItems
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import JOINING, PATIENCE, ROOM, SETTLE, after, message, routed

HOUR = 3600.0


async def test_who_was_heard_by_the_wrong_clock_is_decided_upon(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1", seconds=HOUR), JOINING)
    (case,) = await ledger.claim_undecided(after(0), SETTLE, PATIENCE, 10)
    assert [one.ref.id for one in case.messages] == ["m1"]


async def test_clocks_of_two_machines_that_differ_by_seconds_still_let_people_finish(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1", seconds=20), JOINING)
    assert await ledger.claim_undecided(after(0), SETTLE, PATIENCE, 10) == []


async def test_what_is_owed_by_the_wrong_clock_is_said(outbox: PostgresOutbox) -> None:
    await outbox.add([Post(ROOM, WordsPlease("en"))], after(HOUR))
    (item,) = await outbox.claim_due(["slack"], after(0), 10)
    assert item.attempt == 1


async def test_what_was_put_off_by_a_platform_waits_for_as_long_as_that(outbox: PostgresOutbox) -> None:
    await outbox.add([Post(ROOM, WordsPlease("en"))], after(0))
    (item,) = await outbox.claim_due(["slack"], after(0), 10)
    await outbox.postpone(item, after(HOUR), "Slack asks to wait")
    assert await outbox.claim_due(["slack"], after(HOUR - 1), 10) == []
    assert len(await outbox.claim_due(["slack"], after(HOUR), 10)) == 1


async def test_a_claim_of_the_wrong_clock_ends_and_one_of_another_machine_holds(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    assert len(await outbox.claim_due(["slack"], after(HOUR), 10)) == 1
    (again,) = await outbox.claim_due(["slack"], after(6), 10)
    assert again.attempt == 2
    assert await outbox.claim_due(["slack"], after(6 - 300), 10) == [], "five minutes behind is no other hour"


async def test_a_conversation_that_the_wrong_clock_claimed_is_free(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    assert len(await ledger.claim_undecided(after(HOUR), SETTLE, PATIENCE, 10)) == 1
    assert len(await ledger.claim_undecided(after(5), SETTLE, PATIENCE, 10)) == 1


@pytest.mark.parametrize(("ahead", "waits"), [(0.0, True), (HOUR, False)])
async def test_what_failed_is_tried_again(
    ledger: PostgresLedger, database: Database, ahead: float, waits: bool
) -> None:
    await ledger.add_message(message("m1"), JOINING)
    (case,) = await ledger.claim_undecided(after(5), SETTLE, PATIENCE, 10)
    failure = Failure(ItemKey("sort", str(case.conversation.id), case.conversation.id), "a fault")
    await PostgresFailedItems(database).failed(failure, after(100 + ahead))
    assert (await ledger.claim_undecided(after(100), SETTLE, PATIENCE, 10) == []) is waits
