"""Posts are claimed in order, once, until their outcome is stored."""

import asyncio
from dataclasses import replace

from bot.domain.messages import MessageRef, Place
from bot.domain.posts import Post, WordsPlease
from bot.domain.report_posts import LearningReport
from db.engine import open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import JOINING, ROOM, SURE, after, card, claimed, decide, message, posts_for, routed

BOTH = ["slack", "telegram"]


async def test_posts_come_back_as_they_were_owed(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    conversation = await routed(ledger)
    found = await outbox.claim_due(BOTH, after(6), 10)
    assert [item.post for item in found] == posts_for(conversation)
    assert [item.attempt for item in found] == [1, 1]


async def test_only_the_platforms_asked_for(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger)
    assert [item.post.place.platform for item in await outbox.claim_due(["slack"], after(6), 10)] == ["slack"]
    assert await outbox.claim_due([], after(6), 10) == []


async def test_posts_of_a_conversation_and_chat_come_one_by_one(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    three = [Post(ROOM, WordsPlease(language)) for language in ("one", "two", "three")]
    await decide(ledger, case, SURE, three, "text", None)
    said = []
    for _ in three:
        (item,) = await outbox.claim_due(BOTH, after(6), 10)
        assert await outbox.claim_due(BOTH, after(6), 10) == []
        await outbox.said(item, MessageRef("slack", "C-BILLING", str(item.id)), after(7))
        said.append(item.post)
    assert said == three


async def test_two_claimers_never_get_the_same_post(
    ledger: PostgresLedger, outbox: PostgresOutbox, database_url: str
) -> None:
    for number in range(15):
        await routed(ledger, ref=f"m{number}", start=number * 100)
    async with open_database(database_url) as second:
        boxes = [outbox, PostgresOutbox(second)] * 4
        async with asyncio.TaskGroup() as group:
            claims = [group.create_task(one.claim_due(BOTH, after(9_999), 6)) for one in boxes]
    ids = [item.id for claim in claims for item in claim.result()]
    assert len(ids) == len(set(ids)) == 30


async def test_a_claim_without_word_is_claimed_again_as_another_attempt(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    (first,) = await outbox.claim_due(["slack"], after(6), 10)
    assert await outbox.claim_due(["slack"], after(65), 10) == []
    (again,) = await outbox.claim_due(["slack"], after(66), 10)
    assert again == replace(first, attempt=2)


async def test_a_postponed_post_holds_back_those_behind_it(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    await decide(ledger, case, SURE, [Post(ROOM, WordsPlease("1")), Post(ROOM, WordsPlease("2"))], "text", None)
    (first,) = await outbox.claim_due(BOTH, after(6), 10)
    await outbox.postpone(first, after(100), "rate limited")
    assert await outbox.claim_due(BOTH, after(99), 10) == []
    (again,) = await outbox.claim_due(BOTH, after(100), 10)
    assert (again.id, again.attempt) == (first.id, 2)


async def test_what_is_given_up_lets_the_next_pass(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    await decide(ledger, case, SURE, [Post(ROOM, WordsPlease("1")), Post(ROOM, WordsPlease("2"))], "text", None)
    (first,) = await outbox.claim_due(BOTH, after(6), 10)
    await outbox.give_up(first, "no such channel", after(7))
    (second,) = await outbox.claim_due(BOTH, after(8), 10)
    assert second.post.content == WordsPlease("2")


async def test_a_receipt_is_kept_once_and_found_by_what_edits_and_follows(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    conversation = await routed(ledger)
    (item,) = await outbox.claim_due(["slack"], after(6), 10)
    ref = MessageRef("slack", "C-BILLING", "17.1")
    await outbox.said(item, ref, after(7))
    await outbox.said(item, MessageRef("slack", "C-BILLING", "17.2"), after(8))
    await outbox.give_up(item, "too late to give up", after(8))
    edit = Post(ROOM, card(conversation, moved_to="access"), edits=item.id)
    under = Post(Place("slack", "C-ELSE"), WordsPlease(None), under=item.id)
    await outbox.add([edit, under], after(9))
    found = await outbox.claim_due(["slack"], after(10), 10)
    assert [(one.edits, one.under) for one in found] == [(ref, None), (None, ref)]


async def test_rewriting_what_was_never_said_is_given_up(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    conversation = await routed(ledger)
    (item,) = await outbox.claim_due(["slack"], after(6), 10)
    await outbox.give_up(item, "no such channel", after(7))
    await outbox.add([Post(ROOM, card(conversation, moved_to="access"), edits=item.id)], after(8))
    assert await outbox.claim_due(["slack"], after(9), 10) == []


async def test_a_report_belongs_to_no_conversation(outbox: PostgresOutbox) -> None:
    report = Post(ROOM, LearningReport("routing", "routing-2", True, ("12 mended", "3 made")))
    await outbox.add([report], after(0))
    (item,) = await outbox.claim_due(["slack"], after(1), 10)
    assert item.post == report
