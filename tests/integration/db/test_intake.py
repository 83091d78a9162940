"""Facts are stored once, and messages find their conversation."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.messages import MessageRef, Person
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import (
    JOINING,
    LEAD,
    PATIENCE,
    SETTLE,
    SURE,
    after,
    asked,
    claimed,
    decide,
    message,
    press,
    reaction,
    routed,
    say_all,
)


async def _conversations(ledger: PostgresLedger, seconds: float) -> list[list[str]]:
    """The messages of each conversation that waits for a decision."""
    cases = await ledger.claim_undecided(after(seconds), SETTLE, PATIENCE, 100)
    return [[said.ref.id for said in case.messages] for case in cases]


async def test_a_repeated_message_changes_nothing(ledger: PostgresLedger) -> None:
    assert await ledger.add_message(message("m1"), JOINING)
    assert not await ledger.add_message(message("m1", "another text"), JOINING)
    case = await claimed(ledger)
    assert (len(case.messages), case.version) == (1, 1)


async def test_a_message_comes_back_as_it_was(ledger: PostgresLedger) -> None:
    said = message("m1", "olá 🙂 \u202eright to left", thread="t1")
    await ledger.add_message(said, JOINING)
    case = await claimed(ledger)
    assert case.messages == (said,)
    assert case.conversation.place == said.place
    assert case.conversation.person == said.author


async def test_what_postgresql_cannot_hold_is_cleaned(ledger: PostgresLedger) -> None:
    dirty = replace(message("m1", "a\x00b\ud800c"), author=Person("telegram", "a\x00nn", "An\udfffn"))
    assert await ledger.add_message(dirty, JOINING)
    case = await claimed(ledger)
    assert case.messages[0].text == "ab?c"
    assert (case.conversation.person.id, case.conversation.person.name) == ("ann", "An?n")


async def test_a_private_chat_is_one_conversation_until_it_was_idle(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    await ledger.add_message(message("m2", seconds=3_600), JOINING)
    await ledger.add_message(message("m3", seconds=3_600 * 30), JOINING)
    assert await _conversations(ledger, 3_600 * 31) == [["m1", "m2"], ["m3"]]


async def test_a_burst_of_threads_is_one_conversation(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("t1", thread="t1"), JOINING)
    await ledger.add_message(message("t2", seconds=2, thread="t2"), JOINING)
    await ledger.add_message(message("t3", seconds=4, thread="t3"), JOINING)
    await ledger.add_message(message("t4", seconds=20, thread="t4"), JOINING)
    assert await _conversations(ledger, 60) == [["t1", "t2", "t3"], ["t4"]]


async def test_a_reply_in_a_joined_thread_belongs_to_the_same_conversation(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("t1", thread="t1"), JOINING)
    await ledger.add_message(message("t2", seconds=2, thread="t2"), JOINING)
    await ledger.add_message(message("r1", seconds=40, thread="t2"), JOINING)
    assert await _conversations(ledger, 60) == [["t1", "t2", "r1"]]


async def test_a_new_thread_after_the_decision_is_a_new_conversation(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("t1", thread="t1"), JOINING)
    case = await claimed(ledger)
    await decide(ledger, case, SURE, [], "text", None)
    await ledger.add_message(message("t2", seconds=1, thread="t2"), JOINING)
    assert await _conversations(ledger, 60) == [["t2"]]


async def test_another_persons_thread_does_not_join_a_burst(ledger: PostgresLedger) -> None:
    bob = replace(message("t2", seconds=1, thread="t2"), author=Person("telegram", "bob"))
    await ledger.add_message(message("t1", thread="t1"), JOINING)
    await ledger.add_message(bob, JOINING)
    assert await _conversations(ledger, 60) == [["t1"], ["t2"]]


async def test_a_burst_that_arrives_at_once_opens_one_conversation(ledger: PostgresLedger) -> None:
    burst = [message(f"m{n}", seconds=n / 10) for n in range(8)]
    async with asyncio.TaskGroup() as group:
        for said in burst:
            group.create_task(ledger.add_message(said, JOINING))
    assert await _conversations(ledger, 60) == [[f"m{n}" for n in range(8)]]


async def test_a_reaction_where_we_never_posted_is_not_our_business(ledger: PostgresLedger) -> None:
    assert not await ledger.add_reaction(reaction(MessageRef("slack", "C-ELSE", "1"), "key", 1))
    assert not await ledger.add_press(press(MessageRef("slack", "C-ELSE", "1"), "0"))


async def test_a_reaction_is_taken_before_its_receipt_and_only_once(ledger: PostgresLedger) -> None:
    await routed(ledger)
    fact = reaction(MessageRef("slack", "C-BILLING", "not said yet"), "key", 1)
    assert await ledger.add_reaction(fact)
    assert not await ledger.add_reaction(fact)


async def test_a_press_is_taken_once(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await asked(ledger)
    question = (await say_all(outbox))["Question"]
    assert await ledger.add_press(press(question, "0"))
    assert not await ledger.add_press(press(question, "0"))


@pytest.mark.parametrize("value", ["9" * 100_000, "\x00\ud800"])
async def test_a_forged_press_is_stored_all_the_same(
    ledger: PostgresLedger, outbox: PostgresOutbox, value: str
) -> None:
    await asked(ledger)
    question = (await say_all(outbox))["Question"]
    assert await ledger.add_press(press(question, value, actor=LEAD))
