"""One tap makes a separate conversation of what somebody wrote about another matter."""

import asyncio

from bot.domain.conversations import State
from bot.domain.messages import Edit, MessageRef, Place
from bot.domain.posts import ON_THE_CARD, SPLIT, FollowUp, Post, Split
from bot.domain.presses import PendingPress, SplitOff
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import (
    JOINING,
    PATIENCE,
    SETTLE,
    SURE,
    after,
    carded,
    decide,
    message,
    press,
    pressed,
    say_all,
)

CHAT = "chat-of-m1"
M2 = MessageRef("telegram", CHAT, "m2")


async def _offered(ledger: PostgresLedger, outbox: PostgresOutbox) -> PendingPress:
    """The tap on the offer to split off the second of three messages."""
    await carded(ledger, outbox)
    for number, words in ((2, "I cannot log in"), (3, "it says password")):
        await ledger.add_message(message(f"m{number}", words, 10 + number, chat=CHAT), JOINING)
    (said,) = await ledger.claim_follow_ups(after(15), 10)
    offer = Post(Place("telegram", CHAT), Split("billing", "en", M2))
    await ledger.conclude_follow_up(said, [Post(ON_THE_CARD, FollowUp("Ann", "I cannot log in")), offer], after(16))
    await ledger.add_press(press((await say_all(outbox, 17))["Split"], SPLIT, 18))
    return await pressed(ledger, 19)


async def test_the_message_and_later_ones_are_a_new_conversation_at_once(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    tapped = await _offered(ledger, outbox)
    assert tapped.on == Split("billing", "en", M2)
    for _ in range(2):
        await ledger.conclude_press(tapped, SplitOff(M2), [], after(20))
    (case,) = await ledger.claim_undecided(after(20), SETTLE, PATIENCE, 10)
    assert [said.ref.id for said in case.messages] == ["m2", "m3"]
    assert (case.conversation.state, case.conversation.label) == (State.NEW, None)
    assert case.conversation.id != tapped.conversation.id
    assert case.conversation.place == tapped.conversation.place
    assert await ledger.claim_follow_ups(after(21), 10) == []


async def test_what_comes_next_joins_the_new_conversation(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    tapped = await _offered(ledger, outbox)
    await ledger.conclude_press(tapped, SplitOff(M2), [], after(20))
    await ledger.add_message(message("m4", "please", 21, chat=CHAT), JOINING)
    (case,) = await ledger.claim_undecided(after(30), SETTLE, PATIENCE, 10)
    assert [said.ref.id for said in case.messages] == ["m2", "m3", "m4"]
    assert await decide(ledger, case, SURE, [], "text", None)


async def test_what_the_decision_rests_on_is_never_split_off(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    tapped = await _offered(ledger, outbox)
    first = MessageRef("telegram", CHAT, "m1")
    await ledger.conclude_press(tapped, SplitOff(first), [], after(20))
    (case,) = await ledger.claim_undecided(after(20), SETTLE, PATIENCE, 10)
    assert [said.ref.id for said in case.messages] == ["m2", "m3"]


async def test_an_edit_of_what_was_split_off_still_reaches_the_first_team(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    tapped = await _offered(ledger, outbox)
    await ledger.conclude_press(tapped, SplitOff(M2), [], after(20))
    (case,) = await ledger.claim_undecided(after(20), SETTLE, PATIENCE, 10)
    await decide(ledger, case, SURE, [], "text", None)
    await ledger.add_edit(Edit(M2, "I can log in again", after(30)))
    (found,) = await ledger.claim_edits(after(31), 10)
    assert found.conversation.id == case.conversation.id
    assert found.carried is not None and found.carried[1] == FollowUp("Ann", "I cannot log in")


async def test_messages_that_arrive_while_it_is_split_are_in_one_of_the_two(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    tapped = await _offered(ledger, outbox)
    async with asyncio.TaskGroup() as group:
        group.create_task(ledger.conclude_press(tapped, SplitOff(M2), [], after(20)))
        for number in range(4, 10):
            said = message(f"m{number}", "and", 10 + number, chat=CHAT)
            group.create_task(ledger.add_message(said, JOINING))
    (case,) = await ledger.claim_undecided(after(60), SETTLE, PATIENCE, 10)
    assert [said.ref.id for said in case.messages] == [f"m{number}" for number in range(2, 10)]
