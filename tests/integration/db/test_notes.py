"""What teams write under cards is stored separately, looked at once, and sent at most once."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.conversations import PendingNote
from bot.domain.messages import Deletion, Edit, Media, MediaKind, MessageRef, Person, Place
from bot.domain.posts import ON_THE_CARD, FollowUp, Offer, Post, Reply, Sent
from bot.domain.presses import Dispatched
from bot.domain.report_posts import LearningReport
from db.conversations import notes
from db.engine import Database, open_database
from db.ledger import PostgresLedger
from db.outbox import PostgresOutbox
from db.tables import MessageRow, NoteRow
from tests.integration.db.scenes import (
    AGENT,
    JOINING,
    ROOM,
    after,
    carded,
    message,
    note,
    press,
    pressed,
    reaction,
    routed,
    say_all,
)

PHOTO = Media("slack", "F1", MediaKind.DOCUMENT, "form.pdf")


async def _noted(ledger: PostgresLedger, seconds: float) -> PendingNote:
    """The only note there is to look at."""
    (found,) = await ledger.claim_notes(after(seconds), 10)
    return found


def _reply(noted: PendingNote, words: str = "it is on its way") -> Post:
    return Post(noted.conversation.place, Reply("billing", words, "en", "Gus"))


async def _looked_at(ledger: PostgresLedger, outbox: PostgresOutbox) -> PendingNote:
    """A note that was looked at and not sent."""
    await ledger.add_note(note("n1", await carded(ledger, outbox)))
    found = await _noted(ledger, 21)
    await ledger.conclude_note(found, False, [], after(22))
    return found


async def test_a_note_comes_back_as_it_was_and_only_once(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    said = replace(
        note("n1", await carded(ledger, outbox)), media=(PHOTO,), send=True, author=replace(AGENT, language="de")
    )
    assert await ledger.add_note(said)
    assert not await ledger.add_note(said)
    found = await _noted(ledger, 21)
    assert (found.note, found.sent, found.standing) == (said, False, ())
    assert found.conversation.label == "billing"
    assert await ledger.claim_notes(after(21), 10) == []


async def test_a_note_is_no_message(ledger: PostgresLedger, outbox: PostgresOutbox, database: Database) -> None:
    await ledger.add_note(note("n1", await carded(ledger, outbox)))
    assert await ledger.claim_follow_ups(after(30), 10) == []
    async with database.transaction() as session:
        assert "n1" not in (await session.scalars(select(MessageRow.message_id))).all()


async def test_under_nothing_of_ours_is_no_note(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await carded(ledger, outbox)
    assert not await ledger.add_note(note("n1", MessageRef("slack", "C-BILLING", "somebody else's")))


async def test_under_a_card_that_is_being_said_it_waits_for_the_receipt(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    early = note("n1", MessageRef("slack", ROOM.chat, "not known yet"))
    assert not await ledger.add_note(early)  # the card has never been attempted: the note is under something else
    item = await outbox.claim_due(["slack"], after(6), 10)
    assert await ledger.add_note(early)
    assert await ledger.add_note(note("n2", early.ref, "and I know her")), "a reply to it waits with it"
    assert await ledger.claim_notes(after(7), 10) == []
    for one in item:
        await outbox.said(one, early.under, after(7))
    found = [await _noted(ledger, 8)]
    await ledger.conclude_note(found[0], False, [], after(8))
    found.append(await _noted(ledger, 9))
    assert [(one.note.text, one.under is not None) for one in found] == [(early.text, True), ("and I know her", True)]


async def test_what_waits_for_a_receipt_that_never_comes_is_dropped_and_can_be_changed_and_taken_back_until_then(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    await routed(ledger)
    await outbox.claim_due(["slack"], after(6), 10)
    for ref in ("n1", "n2"):
        assert await ledger.add_note(note(ref, MessageRef("slack", ROOM.chat, "never known")))
    assert await ledger.add_edit(Edit(MessageRef("slack", ROOM.chat, "n1"), "other words", after(30)))
    assert await ledger.add_deletion(Deletion(MessageRef("slack", ROOM.chat, "n2"), after(30)))
    async with database.transaction() as session:
        assert [row.text for row in await session.scalars(select(NoteRow))] == ["other words"]
    assert await ledger.claim_notes(after(2 * 3600), 10) == []
    async with database.transaction() as session:
        assert (await session.scalars(select(NoteRow))).all() == []


async def test_what_is_said_under_anything_in_a_teams_room_is_a_teams_and_under_nothing_else(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    await outbox.add([Post(ROOM, LearningReport("routing", "routing-2", True, ()))], after(5))
    said = await say_all(outbox)
    part = MessageRef("slack", ROOM.chat, "a picture")
    await ledger.add_part(part, said["Card"])
    await ledger.add_note(note("n1", part))
    for under in (said["Card"], said["LearningReport"], part, MessageRef("slack", ROOM.chat, "n1")):
        assert await ledger.is_of_a_team(under, ours=True), under
        assert await ledger.is_of_a_team(under, ours=False), under
    lost = MessageRef("slack", ROOM.chat, "a card whose receipt was lost")
    assert (await ledger.is_of_a_team(lost, ours=True), await ledger.is_of_a_team(lost, ours=False)) == (True, False)
    for under in (said["Answer"], MessageRef("telegram", "chat-of-m1", "m1"), MessageRef("slack", "C-OTHER", "x")):
        assert not await ledger.is_of_a_team(under, ours=True), under
    assert (await _noted(ledger, 30)).note.under == said["Card"]


async def test_rooms_that_were_learned_and_chats_that_moved_are_known_to_the_next_process(
    ledger: PostgresLedger,
) -> None:
    topic = Place("telegram", "-1/45")
    await ledger.add_room(topic, Place("telegram", "-1"))
    await ledger.add_room(topic, Place("telegram", "-1"))
    await ledger.move_chat("telegram", "-1", "-1001")
    await ledger.move_chat("telegram", "-1001", "-1002")
    assert await ledger.learned_rooms("telegram") == {"-1/45": "-1002"}
    assert await ledger.moved_chats("telegram") == {"-1": "-1002", "-1001": "-1002"}
    assert (await ledger.learned_rooms("slack"), await ledger.moved_chats("slack")) == ({}, {})


async def test_under_a_card_whose_receipt_arrives_at_that_moment_is_a_note(
    ledger: PostgresLedger, outbox: PostgresOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await routed(ledger)
    early = note("n1", MessageRef("slack", ROOM.chat, "known in a moment"))
    item = await outbox.claim_due(["slack"], after(6), 10)
    look = notes._conversation_under

    async def a_moment_too_early(session: AsyncSession, ref: MessageRef) -> int | None:
        found = await look(session, ref)
        while item:
            await outbox.said(item.pop(), early.under, after(7))
        return found

    monkeypatch.setattr(notes, "_conversation_under", a_moment_too_early)
    assert await ledger.add_note(early)
    assert (await _noted(ledger, 8)).note.ref == early.ref


async def test_a_post_that_must_wait_holds_up_no_other_talk_in_its_room(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await routed(ledger)
    for one in await outbox.claim_due(["slack"], after(6), 10):
        await outbox.postpone(one, after(600), "this chat has had its share")
    assert not await ledger.add_note(note("n1", MessageRef("slack", ROOM.chat, "somebody else's")))


async def test_under_what_the_person_reads_is_no_note(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await routed(ledger)
    answer = (await say_all(outbox))["Answer"]
    assert not await ledger.add_note(note("n1", answer))


async def test_under_a_report_is_no_note(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await outbox.add([Post(ROOM, LearningReport("routing", "routing-2", False, ()))], after(0))
    assert not await ledger.add_note(note("n1", (await say_all(outbox))["LearningReport"]))


async def test_under_a_follow_up_and_under_another_note_is_a_note(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    await carded(ledger, outbox)
    await ledger.add_message(message("m2", "and", 10, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(11), 10)
    await ledger.conclude_follow_up(said, [Post(ON_THE_CARD, FollowUp("Ann", "and"))], after(12))
    first = note("n1", (await say_all(outbox, 13))["FollowUp"])
    assert await ledger.add_note(first)
    assert await ledger.add_note(note("n2", first.ref, seconds=21))
    found = await _noted(ledger, 25)
    assert (found.note.ref.id, found.conversation.id) == ("n1", said.conversation.id)
    await ledger.conclude_note(found, False, [], after(26))
    other = await _noted(ledger, 27)
    assert other.note.under == first.ref
    assert found.card is not None and found.under == other.under == found.card


async def test_a_sent_note_is_never_sent_again(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_note(note("n1", await carded(ledger, outbox)))
    found = await _noted(ledger, 21)
    for _ in range(2):
        await ledger.conclude_note(found, True, [_reply(found)], after(22))
    assert len(await outbox.claim_due(["telegram"], after(23), 10)) == 1
    await ledger.add_reaction(reaction(found.note.ref, "outbox_tray", 30))
    assert await ledger.claim_notes(after(31), 10) == []


async def test_the_emoji_on_a_note_that_was_looked_at_brings_it_back(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    before = await _looked_at(ledger, outbox)
    fact = reaction(before.note.ref, "outbox_tray", 30)
    assert await ledger.add_reaction(fact)
    assert await ledger.claim_reactions(after(31), 10) == []
    found = await _noted(ledger, 31)
    assert (found.id, found.standing) == (before.id, (fact,))
    await ledger.conclude_note(found, False, [], after(32))
    assert await ledger.claim_notes(after(33), 10) == []
    await ledger.add_reaction(reaction(before.note.ref, "outbox_tray", 34, added=False))
    assert (await _noted(ledger, 35)).standing == ()


async def test_an_emoji_taken_away_while_it_was_looked_at_sends_nothing(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    before = await _looked_at(ledger, outbox)
    await ledger.add_reaction(reaction(before.note.ref, "outbox_tray", 30))
    stale = await _noted(ledger, 31)
    await ledger.add_reaction(reaction(before.note.ref, "outbox_tray", 31.5, added=False))
    await ledger.conclude_note(stale, True, [_reply(stale)], after(32))
    assert await outbox.claim_due(["telegram"], after(33), 10) == []
    assert (await _noted(ledger, 34)).standing == ()


async def test_an_edit_while_it_was_looked_at_sends_no_old_words(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    said = note("n1", await carded(ledger, outbox), "reply: tomorrow")
    await ledger.add_note(said)
    stale = await _noted(ledger, 21)
    await ledger.add_edit(Edit(said.ref, "reply: today", after(22)))
    await ledger.conclude_note(stale, True, [_reply(stale, "tomorrow")], after(23))
    assert await outbox.claim_due(["telegram"], after(24), 10) == []
    assert (await _noted(ledger, 25)).note.text == "reply: today"


async def test_a_deleted_note_is_not_looked_at(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    said = note("n1", await carded(ledger, outbox))
    await ledger.add_note(said)
    stale = await _noted(ledger, 21)
    await ledger.add_deletion(Deletion(said.ref, after(22)))
    await ledger.conclude_note(stale, True, [_reply(stale)], after(23))
    assert await outbox.claim_due(["telegram"], after(24), 10) == []
    assert await ledger.claim_notes(after(25), 10) == []


async def test_the_button_of_an_offer_sends_its_note_once(
    ledger: PostgresLedger, outbox: PostgresOutbox, database: Database
) -> None:
    said = note("n1", await carded(ledger, outbox))
    await ledger.add_note(said)
    found = await _noted(ledger, 21)
    offer = Post(ON_THE_CARD, Offer(found.id, "Ann", said.text), only_for=AGENT, answers=said.ref)
    await ledger.conclude_note(found, False, [offer], after(22))
    ref = (await say_all(outbox, 23))["Offer"]
    await ledger.add_press(press(ref, "send", 24, AGENT))
    await ledger.add_press(press(ref, "send", 25, AGENT))
    for seconds, is_sent in ((26, False), (30, True)):
        again = await pressed(ledger, seconds)
        assert (again.on, again.note) == (Offer(found.id, "Ann", said.text, is_sent), said)
        sent = Post(ON_THE_CARD, Offer(found.id, "Ann", said.text, sent=True), edits=again.post)
        await ledger.conclude_press(again, Dispatched(found.id), [_reply(found), sent], after(seconds + 1))
    replies = await outbox.claim_due(["telegram"], after(99), 10)
    assert [item.post.content for item in replies] == [Reply("billing", "it is on its way", "en", "Gus")]
    async with database.transaction() as session:
        row = (await session.scalars(select(NoteRow))).one()
    assert (row.sent_at, row.carried_by) == (after(27), replies[0].id)


async def test_the_offer_of_a_deleted_note_has_no_note(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    said = note("n1", await carded(ledger, outbox))
    await ledger.add_note(said)
    found = await _noted(ledger, 21)
    await ledger.conclude_note(found, False, [Post(ON_THE_CARD, Offer(found.id, "Ann", said.text))], after(22))
    await ledger.add_press(press((await say_all(outbox, 23))["Offer"], "send", 24, AGENT))
    await ledger.add_deletion(Deletion(said.ref, after(24)))
    late = await pressed(ledger, 26)
    assert (late.note, late.on) == (None, Offer(found.id, "Ann", ""))
    await ledger.conclude_press(late, Dispatched(found.id), [_reply(found)], after(27))
    assert await outbox.claim_due(["telegram"], after(28), 10) == []


async def test_two_processes_never_look_at_one_note(
    ledger: PostgresLedger, outbox: PostgresOutbox, database_url: str
) -> None:
    under = await carded(ledger, outbox)
    for number in range(5):
        await ledger.add_note(note(f"n{number}", under, seconds=20 + number))
    async with open_database(database_url) as second:
        ledgers = [ledger, PostgresLedger(second, "tiny")] * 3
        async with asyncio.TaskGroup() as group:
            claims = [group.create_task(one.claim_notes(after(30), 10)) for one in ledgers]
    assert [noted.note.ref.id for claim in claims for noted in claim.result()] == ["n0"]


async def test_the_persons_answer_to_a_reply_joins_however_long_they_were_silent(
    ledger: PostgresLedger, outbox: PostgresOutbox
) -> None:
    day = 24 * 3_600
    await ledger.add_note(note("n1", await carded(ledger, outbox)))
    found = await _noted(ledger, day)
    await ledger.conclude_note(found, True, [_reply(found)], after(day))
    await ledger.add_message(message("m2", "thanks, but", day + 3_600, chat="chat-of-m1"), JOINING)
    (said,) = await ledger.claim_follow_ups(after(day + 3_700), 10)
    assert said.conversation.id == found.conversation.id


async def test_what_was_sent_is_confirmed_once_it_is_said(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    await ledger.add_note(note("n1", await carded(ledger, outbox)))
    found = await _noted(ledger, 21)
    await ledger.conclude_note(found, True, [_reply(found)], after(22))
    (item,) = await outbox.claim_due(["telegram"], after(23), 10)
    confirmed = Post(ON_THE_CARD, Sent("it is on its way", "Gus", "Ann"))
    ref = MessageRef("telegram", "chat-of-m1", "r1")
    for _ in range(2):
        await outbox.said(item, ref, after(24), [confirmed])
    (told,) = await outbox.claim_due(["slack"], after(25), 10)
    assert (told.post.content, told.post.place, told.under) == (
        confirmed.content,
        ROOM,
        MessageRef("slack", "C-BILLING", "said-2"),
    )


async def test_a_stranger_in_another_workspace_stays_one(ledger: PostgresLedger, outbox: PostgresOutbox) -> None:
    guest = Person("slack", "guest", "Una", None, external=True)
    said = replace(note("n1", await carded(ledger, outbox)), author=guest)
    await ledger.add_note(said)
    await ledger.add_reaction(reaction(said.ref, "outbox_tray", 21, actor=guest))
    found = await _noted(ledger, 25)
    assert (found.note.author, found.standing[0].actor) == (guest, guest)
    assert found.conversation.place == Place("telegram", "chat-of-m1")
