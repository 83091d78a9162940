"""Which conversation a message joins, and in which language its person is addressed."""

import asyncio
from dataclasses import replace

from bot.domain.conversations import CardState, State
from bot.domain.messages import Media, MediaKind, MessageRef, Person
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from tests.integration.db.scenes import (
    ANN,
    JOINING,
    PATIENCE,
    SETTLE,
    SURE,
    after,
    carded,
    claimed,
    decide,
    message,
    pending,
    reaction,
    routed,
)

HOUR = 3_600
PHOTO = Media("telegram", "file-1", MediaKind.PHOTO, "broken.jpg", 1_234, "https://t.example/1")


async def _waiting(ledger: PostgresLedger, seconds: float) -> list[list[str]]:
    """The messages of each conversation that waits for a decision."""
    cases = await ledger.claim_undecided(after(seconds), SETTLE, PATIENCE, 100)
    return [[said.ref.id for said in case.messages] for case in cases]


async def _closed(ledger: PostgresLedger, outbox: PostgresOutbox, seconds: float = 20) -> None:
    """A conversation that its team has closed."""
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "white_check_mark", seconds))
    found = await pending(ledger, seconds)
    await ledger.conclude_reactions(found, None, CardState(done=True), [], after(seconds))


async def test_a_message_with_attachments_comes_back_as_it_was(ledger: PostgresLedger) -> None:
    author = replace(ANN, external=True)
    said = replace(message("m1", thread="t1"), media=(PHOTO,), opens=True, author=author)
    await ledger.add_message(said, JOINING)
    case = await claimed(ledger)
    assert (case.messages, case.conversation.person) == ((said,), author)


async def test_a_message_that_opens_begins_a_conversation_of_its_own(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    await ledger.add_message(replace(message("m2", seconds=1), opens=True), JOINING)
    await ledger.add_message(message("m3", seconds=2), JOINING)
    assert await _waiting(ledger, 60) == [["m1"], ["m2", "m3"]]


async def test_whoever_left_a_conversation_opens_a_new_one(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    assert await ledger.leave(ANN, "ann-chat", after(1))
    assert not await ledger.leave(ANN, "ann-chat", after(2))
    await ledger.add_message(message("m2", seconds=3), JOINING)
    assert await _waiting(ledger, 60) == [["m1"], ["m2"]]


async def test_there_was_none_to_leave(ledger: PostgresLedger) -> None:
    assert not await ledger.leave(ANN, "ann-chat", after(1))


async def test_leaving_one_chat_leaves_no_other(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    assert not await ledger.leave(ANN, "another chat", after(1))
    assert not await ledger.leave(Person("telegram", "bob"), "ann-chat", after(1))
    await ledger.add_message(message("m2", seconds=3), JOINING)
    assert await _waiting(ledger, 60) == [["m1", "m2"]]


async def test_a_closed_conversation_is_joined_for_as_long_as_it_can_be_reopened(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await _closed(ledger, outbox)
    await ledger.add_message(message("m2", "still broken", 70 * HOUR, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(70 * HOUR + 1), 10)
    assert (said.message.ref.id, said.conversation.state) == ("m2", State.CLOSED)
    await ledger.conclude_follow_up(said, [], after(70 * HOUR + 2))
    await ledger.add_message(message("m3", "and this", 70 * HOUR + 3, chat="chat-of-m1"), JOINING)
    (more,) = await ledger.claim_follow_ups(after(70 * HOUR + 4), 10)
    assert (more.conversation.state, more.conversation.reopened) == (State.ROUTED, after(70 * HOUR + 2))


async def test_what_was_closed_too_long_ago_stays_closed(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await _closed(ledger, outbox)
    await ledger.add_message(message("m2", "something new", 73 * HOUR, chat="chat-of-m1"), JOINING)
    assert await ledger.claim_follow_ups(after(74 * HOUR), 10) == []
    assert await _waiting(ledger, 74 * HOUR) == [["m2"]]


async def test_a_closed_conversation_that_was_left_is_not_reopened(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await _closed(ledger, outbox)
    assert not await ledger.leave(ANN, "chat-of-m1", after(30))
    await ledger.add_message(message("m2", "something new", 40, chat="chat-of-m1"), JOINING)
    assert await _waiting(ledger, 60) == [["m2"]]


async def test_a_thread_belongs_to_its_conversation_however_long_that_is_closed(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await ledger.add_message(message("t1", thread="t1"), JOINING)
    case = await claimed(ledger)
    await decide(ledger, case, SURE, [], "text", None)
    await ledger.add_message(message("t2", seconds=900 * HOUR, thread="t1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(901 * HOUR), 10)
    assert said.conversation.id == case.conversation.id


async def test_a_chosen_language_takes_the_place_of_the_reported_one(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    assert await ledger.preferred(ANN) is None
    await ledger.prefer(ANN, "es")
    await ledger.prefer(ANN, "pt-BR")
    assert await ledger.preferred(ANN) == "pt-BR"
    assert (await claimed(ledger)).conversation.person.language == "pt-BR"
    await ledger.add_message(message("m2", seconds=20), JOINING)
    (case,) = await ledger.claim_undecided(after(999), SETTLE, PATIENCE, 10)
    assert case.conversation.person.language == "pt-BR"
    assert [said.author.language for said in case.messages] == ["en", "pt-BR"]


async def test_a_preference_is_one_persons(ledger: PostgresLedger) -> None:
    await ledger.prefer(ANN, "es")
    assert await ledger.preferred(Person("slack", "ann")) is None


async def test_leaving_and_writing_at_once_loses_nothing(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    async with asyncio.TaskGroup() as group:
        group.create_task(ledger.leave(ANN, "ann-chat", after(1)))
        for number in range(2, 8):
            group.create_task(ledger.add_message(message(f"m{number}", seconds=number), JOINING))
    assert sorted(ref for case in await _waiting(ledger, 60) for ref in case) == [f"m{n}" for n in range(1, 8)]


async def test_a_message_in_a_moved_chat_joins_and_is_never_taken_for_an_older_one(ledger: PostgresLedger) -> None:
    conversation = await routed(ledger)
    await ledger.move_chat("telegram", "chat-of-m1", "chat-of-more")
    await ledger.add_message(message("m2", "and", 20, chat="chat-of-more"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(30), 10)
    assert said.conversation.id == conversation
    await ledger.conclude_follow_up(said, [], after(31))
    assert not await ledger.add_message(message("m1", "where is my refund", 0, chat="chat-of-more"), JOINING)
    assert await ledger.add_message(message("m1", "numbered anew", 40, chat="chat-of-more"), JOINING)
    (anew,) = await ledger.claim_follow_ups(after(50), 10)
    assert anew.message.ref == MessageRef("telegram", "chat-of-more", "m1")
