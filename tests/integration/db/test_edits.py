"""Edits and deletions count before the decision, and are passed on after it; deleted words are gone."""

import asyncio
from dataclasses import replace

from sqlalchemy import select, text

from bot.domain.conversations import CardState, LeadLabel, State
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.messages import Deletion, Edit, Message, MessageRef
from bot.domain.posts import ON_THE_CARD, Card, FollowUp, Notice, Offer, Post, Reply, What
from bot.domain.presses import Chosen
from db.engine import Database
from db.examples import PostgresExamples
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.queries import PostgresQueries
from db.tables import ConversationRow
from tests.integration.db.scenes import (
    JOINING,
    LEAD,
    PATIENCE,
    ROOM,
    SETTLE,
    SURE,
    VECTOR,
    after,
    asked,
    card,
    carded,
    claimed,
    decide,
    message,
    note,
    pending,
    press,
    pressed,
    reaction,
    say_all,
)

M1 = MessageRef("telegram", "chat-of-m1", "m1")
CHOSEN = Decision("routing", "access", Author.PERSON, Reason.CHOSEN, actor="telegram:ann")


def edit(ref: MessageRef, words: str, seconds: float = 10) -> Edit:
    return Edit(ref, words, after(seconds))


async def _row(database: Database) -> ConversationRow:
    async with database.transaction() as session:
        return (await session.scalars(select(ConversationRow))).one()


async def everything(database: Database) -> str:
    """Every word that the database holds, in any column."""
    tables = ("conversations", "messages", "notes", "posts", "examples", "reactions", "presses", "decisions")
    async with database.transaction() as session:
        rows = [(await session.execute(text(f"SELECT t::text FROM {name} t"))).scalars().all() for name in tables]  # noqa: S608
    return "\n".join(row for found in rows for row in found)


async def _followed(ledger: PostgresLedger, outbox: PostgresOutbox, words: str = "and my invoice") -> MessageRef:
    """A message after the decision that is shown under the card; its ref."""
    said = message("m2", words, 20, chat="chat-of-m1")
    await ledger.add_message(said, JOINING)
    (found,) = await ledger.claim_follow_ups(after(21), 10)
    await ledger.conclude_follow_up(found, [Post(ON_THE_CARD, FollowUp("Ann", words))], after(22))
    await say_all(outbox, 23)
    return said.ref


# --- edits ---


async def test_an_edit_before_the_decision_simply_counts(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    ref = message("m1").ref
    assert await ledger.add_edit(edit(ref, "where is my parcel", 1))
    assert (await claimed(ledger)).messages[0].text == "where is my parcel"
    assert await ledger.claim_edits(after(99), 10) == []


async def test_an_edit_without_new_words_or_of_something_unknown_changes_nothing(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    assert not await ledger.add_edit(edit(message("m1").ref, " where is my refund "))
    assert not await ledger.add_edit(edit(message("nobody's").ref, "words"))
    assert (await claimed(ledger)).version == 1


async def test_of_edits_out_of_order_the_latest_counts(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    ref = message("m1").ref
    assert await ledger.add_edit(edit(ref, "third", 3))
    assert not await ledger.add_edit(edit(ref, "second", 2))
    assert (await claimed(ledger)).messages[0].text == "third"
    assert not await ledger.add_edit(edit(ref, "third", 4))
    assert not await ledger.add_edit(edit(ref, "second", 3.5))


async def test_a_decision_on_the_old_words_is_refused(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_message(message("m1"), JOINING)
    case = await claimed(ledger)
    await ledger.add_edit(edit(message("m1").ref, "I cannot log in", 6))
    assert not await decide(ledger, case, SURE, [Post(ROOM, card(case.conversation.id))], "where is my refund", VECTOR)
    assert await outbox.claim_due(["slack"], after(7), 10) == []
    assert (await claimed(ledger, 8)).messages[0].text == "I cannot log in"


async def test_an_edit_racing_the_decision_is_decided_upon_or_passed_on(ledger: PostgresLedger) -> None:
    for turn in range(6):
        ref = f"r{turn}"
        await ledger.add_message(message(ref, seconds=turn * 100, chat=ref), JOINING)
        case = await claimed(ledger, turn * 100 + 5)
        change = edit(MessageRef("telegram", ref, ref), "I cannot log in", turn * 100 + 5)
        async with asyncio.TaskGroup() as group:
            decided = group.create_task(decide(ledger, case, SURE, [], "where is my refund", None))
            group.create_task(ledger.add_edit(change))
        revised = await ledger.claim_edits(after(turn * 100 + 6), 10)
        if decided.result():
            (found,) = revised
            assert (found.text, found.decided) == ("I cannot log in", True)
            await ledger.conclude_edit(found, [], after(turn * 100 + 7))
        else:
            again = await claimed(ledger, turn * 100 + 9)
            assert again.messages[0].text == "I cannot log in"
            assert await decide(ledger, again, SURE, [], "I cannot log in", None)


async def test_words_edited_into_a_wordless_message_need_a_decision(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1", ""), JOINING)
    assert await ledger.ask_for_words(await claimed(ledger), [])
    assert await ledger.claim_undecided(after(20), SETTLE, PATIENCE, 10) == []
    await ledger.add_edit(edit(message("m1").ref, "my invoice"))
    assert (await claimed(ledger, 30)).messages[0].text == "my invoice"


async def test_an_edit_after_the_decision_is_passed_on_once(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    assert await ledger.add_edit(edit(M1, "where is my parcel"))
    (found,) = await ledger.claim_edits(after(11), 10)
    assert isinstance(found.message, Message)
    assert (found.message.text, found.deleted, found.decided, found.carried) == (
        "where is my parcel",
        False,
        True,
        None,
    )
    assert found.text == "where is my parcel"
    assert found.card is not None and found.card.card.excerpt == "where is"
    assert await ledger.claim_edits(after(11), 10) == []
    rewritten = Post(found.card.place, replace(found.card.card, excerpt=found.text, edited=True), edits=found.card.post)
    for _ in range(2):
        await ledger.conclude_edit(found, [rewritten], after(12))
    assert len(await outbox.claim_due(["slack"], after(13), 10)) == 1
    assert await ledger.claim_edits(after(99), 10) == []


async def test_an_edit_of_what_was_relayed_names_the_post_that_carried_it(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await carded(ledger, outbox)
    ref = await _followed(ledger, outbox)
    await ledger.add_edit(edit(ref, "and my parcel", 30))
    (found,) = await ledger.claim_edits(after(31), 10)
    assert found.carried is not None
    assert (found.carried[1], found.decided) == (FollowUp("Ann", "and my invoice"), False)
    assert found.text == "where is my refund"


async def test_an_edit_before_the_relay_is_relayed_with_its_new_words(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await carded(ledger, outbox)
    said = message("m2", "and my invoice", 20, chat="chat-of-m1")
    await ledger.add_message(said, JOINING)
    (stale,) = await ledger.claim_follow_ups(after(21), 10)
    await ledger.add_edit(edit(said.ref, "and my parcel", 22))
    await ledger.conclude_follow_up(stale, [Post(ON_THE_CARD, FollowUp("Ann", "and my invoice"))], after(23))
    assert await outbox.claim_due(["slack"], after(24), 10) == []
    (found,) = await ledger.claim_follow_ups(after(25), 10)
    assert found.message.text == "and my parcel"


async def test_a_press_on_the_old_words_comes_again_with_the_new_ones(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await asked(ledger)
    await ledger.add_press(press((await say_all(outbox))["Question"], "1"))
    stale = await pressed(ledger, 8)
    await ledger.add_edit(edit(message("m1").ref, "I cannot log in", 9))
    await ledger.conclude_press(stale, Chosen(CHOSEN), [Post(ROOM, card(1))], after(10))
    again = await pressed(ledger, 11)
    assert [said.text for said in again.messages] == ["I cannot log in"]


# --- deletions ---


async def test_deleting_all_that_was_said_closes_an_undecided_conversation(
    ledger: PostgresLedger, database: Database
) -> None:
    await ledger.add_message(message("m1"), JOINING)
    deletion = Deletion(message("m1").ref, after(1))
    assert await ledger.add_deletion(deletion)
    assert not await ledger.add_deletion(deletion)
    assert await ledger.claim_undecided(after(99), SETTLE, PATIENCE, 10) == []
    assert (await _row(database)).state == State.CLOSED
    assert "refund" not in await everything(database)


async def test_what_is_left_after_a_deletion_is_decided_upon(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    await ledger.add_message(message("m2", "I cannot log in", 1), JOINING)
    stale = await claimed(ledger)
    await ledger.add_deletion(Deletion(message("m1").ref, after(6)))
    assert not await decide(ledger, stale, SURE, [], "both", None)
    assert [said.text for said in (await claimed(ledger, 9)).messages] == ["I cannot log in"]


async def test_a_message_after_all_was_deleted_needs_a_decision(ledger: PostgresLedger) -> None:
    await ledger.add_message(message("m1"), JOINING)
    await ledger.add_deletion(Deletion(message("m1").ref, after(1)))
    await ledger.add_message(message("m2", "I cannot log in", 5), JOINING)
    assert [said.text for said in (await claimed(ledger, 9)).messages] == ["I cannot log in"]


async def test_deleting_all_but_a_greeting_while_asked_rests_at_the_question(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await ledger.add_message(message("m0", "hello", -1), JOINING)
    await asked(ledger)
    await ledger.add_deletion(Deletion(message("m1").ref, after(20)))
    case = await claimed(ledger, 30)
    assert [said.text for said in case.messages] == ["hello"]
    assert await ledger.ask_for_words(case, [])
    assert await ledger.claim_undecided(after(100), SETTLE, PATIENCE, 10) == []
    assert (await claimed(ledger, 5 + PATIENCE.total_seconds())).unanswered


async def test_a_deletion_after_the_decision_empties_and_is_passed_on(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await carded(ledger, outbox)
    await ledger.add_deletion(Deletion(M1, after(10)))
    held = await everything(database)
    assert "where is" not in held
    assert (await _row(database)).vector is None
    (found,) = await ledger.claim_edits(after(11), 10)
    assert (found.message.text, found.deleted, found.decided, found.text) == ("", True, True, "")
    assert found.card is not None and found.card.card.excerpt == ""
    struck = Post(found.card.place, replace(found.card.card, deleted=True), edits=found.card.post)
    await ledger.conclude_edit(found, [struck], after(12))
    (item,) = await outbox.claim_due(["slack"], after(13), 10)
    assert isinstance(item.post.content, Card) and item.post.content.deleted
    assert (await _row(database)).state == State.ROUTED


async def test_nothing_is_learned_from_deleted_words(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref = await carded(ledger, outbox)
    corrected = Decision("routing", "access", Author.LEAD, Reason.CORRECTED)
    await ledger.add_deletion(Deletion(M1, after(10)))
    await ledger.add_reaction(reaction(ref, "key", 11))
    found = await pending(ledger, 12)
    assert [said.text for said in found.messages] == [""]
    await ledger.conclude_reactions(found, corrected, CardState(_ruling()), [], after(13))
    assert await PostgresExamples(database).examples("routing") == []


def _ruling() -> LeadLabel:
    return LeadLabel("access", LEAD, after(11), confirms=False, disputed=False)


async def test_what_had_been_learned_goes_with_the_words(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_reaction(reaction(ref, "key", 11))
    corrected = Decision("routing", "access", Author.LEAD, Reason.CORRECTED)
    await ledger.conclude_reactions(await pending(ledger, 12), corrected, CardState(_ruling()), [], after(13))
    assert len(await PostgresExamples(database).examples("routing")) == 1
    await ledger.add_deletion(Deletion(M1, after(14)))
    assert await PostgresExamples(database).examples("routing") == []
    assert "where is my refund" not in await everything(database)


async def test_a_relayed_message_that_is_deleted_leaves_its_follow_up_empty(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await carded(ledger, outbox)
    ref = await _followed(ledger, outbox)
    await ledger.add_deletion(Deletion(ref, after(30)))
    (found,) = await ledger.claim_edits(after(31), 10)
    assert found.carried is not None and found.carried[1] == FollowUp("Ann", "", deleted=True)
    assert (found.deleted, found.decided, found.text) == (True, False, "where is my refund")
    assert "invoice" not in await everything(database)
    assert (await _row(database)).text == "where is my refund"


async def test_what_was_deleted_before_it_was_said_is_never_said(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    """Nor is its rewording, which would block everything after it."""
    await carded(ledger, outbox)
    said = message("m2", "and my invoice", 20, chat="chat-of-m1")
    await ledger.add_message(said, JOINING)
    (found,) = await ledger.claim_follow_ups(after(21), 10)
    await ledger.conclude_follow_up(found, [Post(ON_THE_CARD, FollowUp("Ann", "and my invoice"))], after(22))
    await ledger.add_edit(edit(said.ref, "and my parcel", 23))
    (changed,) = await ledger.claim_edits(after(24), 10)
    assert changed.carried is not None
    rewritten = Post(ON_THE_CARD, FollowUp("Ann", "and my parcel", edited=True), edits=changed.carried[0])
    after_it = Post(ON_THE_CARD, Notice(What.REOPENED))
    await ledger.conclude_edit(changed, [rewritten, after_it], after(25))
    await ledger.add_deletion(Deletion(said.ref, after(26)))
    assert [item.post.content for item in await outbox.claim_due(["slack"], after(27), 10)] == [after_it.content]
    assert (await PostgresQueries(database).backlog(after(28)))["given_up"] == 0


async def test_what_was_deleted_before_the_relay_is_not_relayed(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    said = message("m2", "and my invoice", 20, chat="chat-of-m1")
    await ledger.add_message(said, JOINING)
    (stale,) = await ledger.claim_follow_ups(after(21), 10)
    await ledger.add_deletion(Deletion(said.ref, after(22)))
    await ledger.conclude_follow_up(stale, [Post(ON_THE_CARD, FollowUp("Ann", "and my invoice"))], after(23))
    assert await outbox.claim_due(["slack"], after(24), 10) == []
    assert await ledger.claim_follow_ups(after(25), 10) == []
    assert not await ledger.add_edit(edit(said.ref, "back again", 26))


async def test_a_step_that_quoted_deleted_words_once_more_is_emptied_too(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    ref = await carded(ledger, outbox)
    await ledger.add_deletion(Deletion(M1, after(10)))
    await ledger.add_reaction(reaction(ref, "eyes", 11))
    found = await pending(ledger, 12)
    await ledger.conclude_reactions(found, None, CardState(), [Post(ROOM, card(found.conversation.id))], after(13))
    assert "where is" in await everything(database)
    (revised,) = await ledger.claim_edits(after(14), 10)
    await ledger.conclude_edit(revised, [], after(15))
    assert "where is" not in await everything(database)


# --- notes ---


async def _sent(ledger: PostgresLedger, outbox: PostgresOutbox) -> MessageRef:
    under = await carded(ledger, outbox)
    said = note("n1", under, "reply: it is on its way")
    await ledger.add_note(said)
    (found,) = await ledger.claim_notes(after(21), 10)
    reply = Post(found.conversation.place, Reply("billing", "it is on its way", "en", "Gus"))
    await ledger.conclude_note(found, True, [reply], after(22))
    await say_all(outbox, 23)
    return said.ref


async def test_an_edit_of_a_sent_note_names_the_reply(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    ref = await _sent(ledger, outbox)
    assert await ledger.add_edit(edit(ref, "reply: it arrives today", 30))
    (found,) = await ledger.claim_edits(after(31), 10)
    assert found.message.text == "reply: it arrives today"
    assert found.carried is not None and found.carried[1] == Reply("billing", "it is on its way", "en", "Gus")
    await ledger.conclude_edit(found, [], after(32))
    assert await ledger.claim_edits(after(99), 10) == []


async def test_an_edit_of_an_unsent_note_is_nobodys_work(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    said = note("n1", await carded(ledger, outbox))
    await ledger.add_note(said)
    (found,) = await ledger.claim_notes(after(21), 10)
    await ledger.conclude_note(found, False, [], after(22))
    assert await ledger.add_edit(edit(said.ref, "ask for the invoice", 30))
    assert await ledger.claim_edits(after(31), 10) == []
    assert await ledger.claim_notes(after(31), 10) == []


async def test_a_deleted_note_leaves_what_quoted_it_empty(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    said = note("n1", await carded(ledger, outbox), "ask for the order number")
    await ledger.add_note(said)
    (found,) = await ledger.claim_notes(after(21), 10)
    offer = Post(ON_THE_CARD, Offer(found.id, "Ann", "ask for the order number"), answers=said.ref)
    await ledger.conclude_note(found, False, [offer], after(22))
    await say_all(outbox, 23)
    await ledger.add_deletion(Deletion(said.ref, after(24)))
    assert "order number" not in await everything(database)
