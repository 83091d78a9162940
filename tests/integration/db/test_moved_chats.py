"""Where posts go: on the standing card, to one person only, to a chat that moved, or nowhere."""

from dataclasses import replace

from bot.domain.conversations import CardState
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Edit, MessageRef, Place, choice
from bot.domain.posts import ON_THE_CARD, Answer, FollowUp, Notice, Post, What, WordsPlease
from db.engine import Database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from tests.integration.db.scenes import (
    AGENT,
    JOINING,
    ROOM,
    SURE,
    after,
    card,
    carded,
    claimed,
    decide,
    message,
    note,
    pending,
    posts_for,
    reaction,
    routed,
    say_all,
)

BOTH = ["slack", "telegram"]
TRIAGE = Place("slack", "C-TRIAGE")
UNTAKEN = Post(ON_THE_CARD, Notice(What.UNTAKEN, minutes=30))
UNDELIVERABLE = Decision("routing", "triage", Author.FALLBACK, Reason.UNDELIVERABLE)


async def _conversation(ledger: PostgresLedger, outbox: PostgresOutbox, posts: list[Post]) -> None:
    """Posts that a step adds to a conversation that has a card."""
    await carded(ledger, outbox)
    await ledger.add_message(message("m2", "and", 20, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(21), 10)
    await ledger.conclude_follow_up(said, posts, after(22))


# --- on the card ---


async def test_on_the_card_is_the_standing_cards_thread(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await _conversation(ledger, outbox, [UNTAKEN])
    (item,) = await outbox.claim_due(BOTH, after(23), 10)
    assert (item.post.place, item.post.content) == (ROOM, UNTAKEN.content)
    assert item.under == MessageRef("slack", "C-BILLING", "said-2")


async def test_where_no_card_stands_nothing_is_owed(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_message(message("m1"), JOINING)
    assert await decide(ledger, await claimed(ledger), SURE, [UNTAKEN], "text", None)
    await outbox.add([UNTAKEN], after(6))
    assert await outbox.claim_due(BOTH, after(7), 10) == []


async def test_a_card_among_the_same_posts_counts(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    posts = [UNTAKEN, *posts_for(case.conversation.id), UNTAKEN]
    assert await decide(ledger, case, SURE, posts, "text", None)
    said = []
    while item := await outbox.claim_due(["slack"], after(6), 10):
        said += [(type(one.post.content).__name__, one.under) for one in item]
        for one in item:
            await outbox.said(one, MessageRef("slack", "C-BILLING", f"said-{one.id}"), after(7))
    assert said == [("Card", None), ("Notice", MessageRef("slack", "C-BILLING", "said-2"))]


async def test_rewriting_a_post_happens_where_that_stands(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 10))
    found = await pending(ledger, 11)
    assert found.card is not None
    struck = Post(ON_THE_CARD, card(1, moved_to="access"), edits=found.card.post)
    anew = Post(TRIAGE, card(1, "access"))
    again = Post(ON_THE_CARD, card(1, moved_to="access"), edits=found.card.post)
    await ledger.conclude_reactions(found, None, CardState(), [struck, anew, UNTAKEN, again], after(12))
    said = []
    while item := await outbox.claim_due(BOTH, after(13), 10):
        for one in item:
            said.append((one.post.place, type(one.post.content).__name__, one.edits))
            await outbox.said(one, MessageRef("slack", one.post.place.chat, f"said-{one.id}"), after(14))
    assert sorted(said, key=str) == sorted(
        [(ROOM, "Card", ref), (TRIAGE, "Card", None), (TRIAGE, "Notice", None)], key=str
    )


async def test_for_one_persons_eyes_and_in_answer_to_a_note(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    said = note("n1", await carded(ledger, outbox))
    await ledger.add_note(said)
    (noted,) = await ledger.claim_notes(after(21), 10)
    post = Post(ON_THE_CARD, Notice(What.NO_LEAD), only_for=AGENT, answers=said.ref)
    await ledger.conclude_note(noted, False, [post], after(22))
    (item,) = await outbox.claim_due(BOTH, after(23), 10)
    assert (item.post.only_for, item.post.answers) == (AGENT, said.ref)


# --- several wordings ---


async def test_of_several_wordings_that_wait_only_the_newest_is_said(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await routed(ledger)
    await say_all(outbox)
    place = Place("telegram", "chat-of-m1")
    wordings = [Post(place, Answer(label, "en"), edits=1) for label in ("one", "two", "three")]
    await outbox.add([wordings[0], Post(place, WordsPlease("en"))], after(10))
    await outbox.add(wordings[1:], after(11))
    said = []
    while item := await outbox.claim_due(BOTH, after(12), 10):
        said += [one.post.content for one in item]
        for one in item:
            await outbox.said(one, MessageRef("telegram", "chat-of-m1", f"x{one.id}"), after(13))
    assert said == [WordsPlease("en"), Answer("three", "en")]
    assert (await PostgresQueries(database).backlog(after(14)))["given_up"] == 0


async def test_a_wording_on_its_way_is_followed_by_the_newer_one(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    await say_all(outbox)
    place = Place("telegram", "chat-of-m1")
    await outbox.add([Post(place, Answer("one", "en"), edits=1)], after(10))
    (first,) = await outbox.claim_due(BOTH, after(11), 10)
    await outbox.add([Post(place, Answer("two", "en"), edits=1)], after(12))
    assert await outbox.claim_due(BOTH, after(13), 10) == []
    await outbox.said(first, MessageRef("telegram", "chat-of-m1", "said-1"), after(14))
    (second,) = await outbox.claim_due(BOTH, after(15), 10)
    assert second.post.content == Answer("two", "en")


async def test_what_rewrites_waits_for_what_it_rewrites(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger)
    await outbox.add([Post(Place("slack", "C-ELSE"), card(1, moved_to="access"), edits=2)], after(6))
    assert [item.id for item in await outbox.claim_due(["slack"], after(7), 10)] == [2]


# --- what follows from a sent post, or a failed one ---


async def test_what_is_owed_because_something_was_said_is_owed_once(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    (item,) = await outbox.claim_due(["slack"], after(6), 10)
    ref = MessageRef("slack", "C-BILLING", "17.1")
    for _ in range(2):
        await outbox.said(item, ref, after(7), [UNTAKEN])
    (told,) = await outbox.claim_due(["slack"], after(8), 10)
    assert (told.under, told.post.content) == (ref, UNTAKEN.content)
    await outbox.said(told, MessageRef("slack", "C-BILLING", "17.2"), after(9))
    assert await outbox.claim_due(["slack"], after(10), 10) == []


async def test_a_team_that_cannot_be_reached_loses_the_conversation_to_the_fallback(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    conversation = await routed(ledger)
    await ledger.add_message(message("m2", "and", 5.5, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(6), 10)
    await ledger.conclude_follow_up(said, [Post(ON_THE_CARD, FollowUp("Ann", "and"))], after(6))
    (item,) = await outbox.claim_due(["slack"], after(7), 10)
    await outbox.add([Post(ROOM, FollowUp("Ann", "and so on", edited=True), edits=3)], after(6))
    notice = Post(ON_THE_CARD, Notice(What.MISDELIVERED, "billing", problem="no such channel"))
    posts = [Post(TRIAGE, card(conversation, "triage")), notice]
    for _ in range(2):
        await outbox.give_up(item, "no such channel", after(8), posts, UNDELIVERABLE)
    contents = []
    while found := await outbox.claim_due(["slack"], after(9), 10):
        for one in found:
            assert one.post.place == TRIAGE
            contents.append(one.post.content)
            await outbox.said(one, MessageRef("slack", "C-TRIAGE", f"said-{one.id}"), after(10))
    assert contents == [card(conversation, "triage"), notice.content, FollowUp("Ann", "and so on", edited=True)]
    assert (await PostgresQueries(database).backlog(after(10)))["given_up"] == 1
    await ledger.add_edit(Edit(said.message.ref, "and more", after(11)))
    (revised,) = await ledger.claim_edits(after(12), 10)
    assert revised.carried is not None
    assert (revised.conversation.label, revised.carried[1]) == ("triage", FollowUp("Ann", "and so on", edited=True))


async def test_a_refused_card_of_a_team_that_lost_the_conversation_moves_nothing(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 10))
    moved = Decision("routing", "access", Author.LEAD, Reason.CORRECTED)
    await ledger.conclude_reactions(
        await pending(ledger, 11), moved, CardState(), [Post(TRIAGE, card(1, "access"))], after(12)
    )
    (item,) = await outbox.claim_due(["slack"], after(13), 10)
    await ledger.add_reaction(reaction(ref, "key", 14, added=False))
    back = Decision("routing", "billing", Author.MODEL, Reason.WITHDRAWN)
    await ledger.conclude_reactions(await pending(ledger, 15), back, CardState(), [Post(ROOM, card(1))], after(16))
    await outbox.give_up(item, "archived", after(17), [Post(TRIAGE, card(1, "triage"))], UNDELIVERABLE)
    assert [one.post.place for one in await outbox.claim_due(["slack"], after(18), 10)] == [ROOM]
    await ledger.add_reaction(reaction(ref, "eyes", 19))
    assert (await pending(ledger, 20)).conversation.label == "billing"


async def test_an_unreachable_person_is_told_of_on_the_card(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger)
    item = {one.post.place.platform: one for one in await outbox.claim_due(BOTH, after(6), 10)}
    await outbox.said(item["slack"], MessageRef("slack", "C-BILLING", "c1"), after(7))
    blocked = Post(ON_THE_CARD, Notice(What.UNREACHABLE, problem="blocked"))
    await outbox.give_up(item["telegram"], "blocked", after(8), [blocked])
    (told,) = await outbox.claim_due(BOTH, after(9), 10)
    assert (told.post.content, told.under) == (blocked.content, MessageRef("slack", "C-BILLING", "c1"))


async def test_that_nothing_reaches_a_person_is_said_once_until_something_does(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await carded(ledger, outbox)
    blocked = Post(ON_THE_CARD, Notice(What.UNREACHABLE, problem="blocked"))
    said = {}
    for number, refused in enumerate([True, True, False, True]):
        seconds = 20.0 + 10 * number
        await ledger.add_message(message(f"m{number + 2}", "and", seconds, chat="chat-of-m1"), JOINING)
        (news,) = await ledger.claim_follow_ups(after(seconds), 10)
        await ledger.conclude_follow_up(
            news, [Post(Place("telegram", "chat-of-m1"), WordsPlease("en"))], after(seconds)
        )
        (item,) = await outbox.claim_due(["telegram"], after(seconds + 1), 10)
        if refused:
            await outbox.give_up(item, "blocked", after(seconds + 2), [blocked])
        else:
            await outbox.said(item, MessageRef("telegram", "chat-of-m1", "again"), after(seconds + 2))
        said[number] = list(await say_all(outbox, seconds + 3))
    assert said == {0: ["Notice"], 1: [], 2: [], 3: ["Notice"]}


async def test_a_card_that_no_room_of_the_fallback_takes_moves_on_once_with_all_that_waits_under_it(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await ledger.add_message(message("m1", chat="chat-of-m1"), JOINING)
    case = await claimed(ledger)
    there = Post(ROOM, card(case.conversation.id, "triage"))
    assert await decide(ledger, case, UNDELIVERABLE, [there], "text", None)
    await say_all(outbox)
    for ref, seconds in (("m2", 20), ("m3", 22)):
        await ledger.add_message(message(ref, ref, seconds, chat="chat-of-m1"), JOINING)
        (news,) = await ledger.claim_follow_ups(after(seconds), 10)
        await ledger.conclude_follow_up(news, [Post(ON_THE_CARD, FollowUp("Ann", ref))], after(seconds))
    (item,) = await outbox.claim_due(["slack"], after(30), 10)
    await outbox.give_up(item, "archived", after(31), [Post(TRIAGE, card(case.conversation.id, "triage"))])
    (anew,) = await outbox.claim_due(["slack"], after(32), 10)
    await outbox.said(anew, MessageRef("slack", "C-TRIAGE", "c2"), after(33))
    (follows,) = await outbox.claim_due(["slack"], after(34), 10)
    assert (follows.post.content, follows.under) == (FollowUp("Ann", "m3"), MessageRef("slack", "C-TRIAGE", "c2"))


async def test_a_refused_card_of_the_fallback_that_lost_the_conversation_is_put_nowhere_else(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await ledger.add_message(message("m1", chat="chat-of-m1"), JOINING)
    case = await claimed(ledger)
    assert await decide(ledger, case, UNDELIVERABLE, [Post(TRIAGE, card(1, "triage"))], "text", None)
    (item,) = await outbox.claim_due(["slack"], after(6), 10)
    await ledger.add_reaction(reaction(MessageRef("telegram", "chat-of-m1", "m1"), choice("billing"), 7))
    moved = Decision("routing", "billing", Author.LEAD, Reason.CORRECTED)
    await ledger.conclude_reactions(await pending(ledger, 8), moved, CardState(), [Post(ROOM, card(1))], after(9))
    await outbox.give_up(item, "archived", after(10), [Post(Place("slack", "C-OTHER"), card(1, "triage"))])
    assert [one.post.place for one in await outbox.claim_due(["slack"], after(11), 10)] == [ROOM]


# --- chats that move ---


async def test_what_is_owed_to_a_moved_chat_goes_where_it_is_now(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    await ledger.move_chat("slack", "C-BILLING", "C-NEW")
    await ledger.move_chat("slack", "C-NEW", "C-NEWER")
    await outbox.add([Post(ROOM, WordsPlease("en"))], after(6))
    item = await outbox.claim_due(["slack"], after(7), 10)
    assert [one.post.place.chat for one in item] == ["C-NEWER", "C-NEWER"]


async def test_a_chat_that_moved_back_is_where_it_says(outbox: PostgresOutbox, ledger: PostgresLedger) -> None:
    await ledger.move_chat("slack", "C-BILLING", "C-NEW")
    await ledger.move_chat("slack", "C-NEW", "C-BILLING")
    await outbox.add([Post(ROOM, WordsPlease("en")), Post(Place("slack", "C-NEW"), WordsPlease("es"))], after(6))
    assert {one.post.place.chat for one in await outbox.claim_due(["slack"], after(7), 10)} == {"C-BILLING"}


async def test_receipts_notes_and_reactions_follow_a_moved_chat(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await carded(ledger, outbox)
    said = note("n1", ref)
    await ledger.add_note(said)
    await ledger.add_reaction(reaction(ref, "eyes", 20))
    for _ in range(2):
        await ledger.move_chat("slack", "C-BILLING", "C-NEW")
    moved = replace(ref, chat="C-NEW")
    await ledger.add_reaction(reaction(moved, "key", 21))
    found = await pending(ledger, 22)
    assert [(one.ref, one.emoji) for one in found.standing] == [(moved, "eyes"), (moved, "key")]
    assert found.card is not None and found.card.place == Place("slack", "C-NEW")
    await ledger.conclude_reactions(found, None, CardState(), [], after(23))
    (noted,) = await ledger.claim_notes(after(24), 10)
    assert (noted.note.ref.chat, noted.note.under) == ("C-NEW", moved)


async def test_another_platforms_chat_of_the_same_name_stays(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.move_chat("telegram", "C-BILLING", "C-NEW")
    await outbox.add([Post(ROOM, WordsPlease("en"))], after(6))
    (item,) = await outbox.claim_due(["slack"], after(7), 10)
    assert item.post.place == ROOM
