"""What is known of the messages around a post that may have been said without a receipt."""

from dataclasses import replace

from bot.domain.messages import MessageRef, Place
from bot.domain.posts import FollowUp, OutboxItem, Post, WordsPlease
from db.engine import Database, open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.processes import PostgresProcesses
from tests.integration.db.scenes import JOINING, SURE, after, card, claimed, decide, message, note, routed, say_all
from tests.waiting import until

GROUP = "-1005"
TOPIC = Place("telegram", f"{GROUP}/7")


async def _owed(outbox: PostgresOutbox, place: Place, seconds: float) -> OutboxItem:
    """A post that is owed there and claimed for the first time."""
    await outbox.add([Post(place, WordsPlease("en"))], after(seconds))
    (item,) = await outbox.claim_due(["telegram"], after(seconds), 10)
    return item


async def test_what_stood_before_a_post_was_owed_is_told_from_what_came_later(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger, ref="1")
    answer = (await say_all(outbox))["Answer"]
    item = await _owed(outbox, Place("telegram", "chat-of-1"), 500)
    await routed(ledger, ref="9", start=1_000)
    before, newest = await ledger.refs_around(item.id)
    heard = MessageRef("telegram", "chat-of-1", "1")
    assert set(before) == {heard, answer}
    assert set(newest) == {heard, answer, MessageRef("telegram", "chat-of-9", "9")}
    assert await ledger.refs_around(99_999) == ([], [])


async def test_what_was_said_in_the_group_of_a_topic_counts_and_so_does_what_stands_in_other_chats(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    said = []
    for number, place in enumerate((TOPIC, Place("telegram", GROUP), Place("telegram", "bens-chat"))):
        ref = MessageRef("telegram", place.chat.partition("/")[0], str(number))
        await outbox.said(await _owed(outbox, place, number * 100), ref, after(number * 100 + 7))
        said.append(ref)
    before, _ = await ledger.refs_around((await _owed(outbox, TOPIC, 1_000)).id)
    assert set(before) == set(said)


async def test_a_note_stood_before_what_was_owed_later(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    heard, (under, *more) = await _conversation(ledger, outbox, 3)
    noted = replace(note("2", under), ref=MessageRef("telegram", GROUP, "2"), heard=after(20))
    assert await ledger.add_note(noted)
    before, _ = await ledger.refs_around((await _owed(outbox, TOPIC, 100)).id)
    assert set(before) == {heard, under, *more, noted.ref}


async def test_an_earlier_post_of_the_same_conversation_and_chat_stood_before(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    heard, (first, second) = await _conversation(ledger, outbox, 2)
    (third,) = await outbox.claim_due(["telegram"], after(90), 10)
    before, _ = await ledger.refs_around(third.id)
    assert set(before) == {heard, first, second}, "though both were said after it was owed"


async def _conversation(
    ledger: PostgresLedger, outbox: PostgresOutbox, said: int
) -> tuple[MessageRef, list[MessageRef]]:
    """A message, and of the three posts to a team that it led to as many as are `said`."""
    await ledger.add_message(message("1"), JOINING)
    case = await claimed(ledger)
    posts = [Post(TOPIC, content) for content in (card(case.conversation.id), FollowUp("a", "b"), FollowUp("a", "c"))]
    assert await decide(ledger, case, SURE, posts, "text", None)
    refs = [MessageRef("telegram", GROUP, f"{number}0") for number in range(said)]
    for number, ref in enumerate(refs):
        (item,) = await outbox.claim_due(["telegram"], after(6 + number), 10)
        await outbox.said(item, ref, after(6 + number))
    return MessageRef("telegram", "ann-chat", "1"), refs


async def test_posts_parts_messages_and_notes_are_known(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger, ref="m1")
    receipts = await say_all(outbox)
    answer, card = receipts["Answer"], receipts["Card"]
    part = MessageRef("telegram", answer.chat, "part")
    await ledger.add_part(part, answer)
    assert await ledger.known_refs("telegram", answer.chat, [answer.id, "part", "no"]) == {answer.id, "part"}
    assert await ledger.known_refs("telegram", "chat-of-m1", ["m1", "m2"]) == {"m1"}
    assert await ledger.add_note(note("n1", card))
    assert await ledger.known_refs("slack", card.chat, [card.id, "n1"]) == {card.id, "n1"}
    assert await ledger.known_refs("telegram", card.chat, [card.id, "n1"]) == frozenset()
    assert [await ledger.parts_of(ref) for ref in (answer, part)] == [1, 0]


async def test_what_another_living_process_says_in_the_chat_is_known(database: Database, database_url: str) -> None:
    """Asked about while it is being said, and of another chat, and once it is said."""
    ledger = PostgresLedger(database, "tiny")
    async with (
        open_database(database_url) as other,
        PostgresProcesses(other, lambda: after(5)).living(),
        PostgresProcesses(database, lambda: after(5)).living(),
    ):
        await until(lambda: None not in (other.known_as, database.known_as))
        for claimer, theirs in ((database, False), (other, True)):
            item = await _owed(PostgresOutbox(claimer), TOPIC, 0)
            assert await ledger.others_say(item.id + 1, "telegram", GROUP) is theirs
            assert not await ledger.others_say(item.id + 1, "telegram", "-1006")
            await PostgresOutbox(claimer).said(item, MessageRef("telegram", GROUP, str(item.id)), after(7))
            assert not await ledger.others_say(item.id + 1, "telegram", GROUP)


async def test_of_two_posts_that_are_tried_again_the_older_one_goes_first(
    database: Database, database_url: str
) -> None:
    async with (
        open_database(database_url) as other,
        PostgresProcesses(other, lambda: after(5)).living(),
        PostgresProcesses(database, lambda: after(5)).living(),
    ):
        await until(lambda: None not in (other.known_as, database.known_as))
        outbox = PostgresOutbox(other)
        item = await _owed(outbox, TOPIC, 0)
        await outbox.postpone(item, after(10), "it timed out")
        (again,) = await outbox.claim_due(["telegram"], after(10), 10)
        ledger = PostgresLedger(database, "tiny")
        assert again.attempt == 2
        assert await ledger.others_say(item.id + 1, "telegram", GROUP)
        assert not await ledger.others_say(item.id - 1, "telegram", GROUP)
