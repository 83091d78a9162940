"""Threads, notes, order, edits, deletions and files: what is said after the first message."""

import pytest

from bot.domain.messages import Media, MediaKind, MessageRef, Place, choice
from bot.platforms.slack.adapter import Slack
from tests.fakes_ledger import FakeLedger
from tests.integration.platforms.slack.parts import (
    ANN,
    BEN,
    BILLING,
    HELP,
    LEAD,
    LOUNGE,
    STRANGER,
    TEAM_LEAD,
    FakeDesk,
    Recorder,
    account,
    around,
    card,
    config,
    item,
    listening,
    settled,
    speaking,
    whispered,
)
from tests.servers.slack import BOT_USER, SlackServer


async def test_a_direct_message_with_and_without_a_thread_is_heard_once_and_answered_there(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    root = await server.writes(ANN, ANN, "my laptop is broken")
    await server.writes(ANN, ANN, "the screen, that is", thread_ts=root)
    await server.until(lambda: len(inbox.messages) == 2)
    assert {message.place for message in inbox.messages.values()} == {Place("slack", "D0ANN", root)}


async def test_a_reply_joins_the_conversation_that_a_mention_began_and_other_threads_stay_unheard(
    server: SlackServer, socket: Slack, inbox: Recorder, chat_commands: FakeDesk
) -> None:
    ours = await server.writes(ANN, LOUNGE, f"<@{BOT_USER}> my laptop")
    theirs = await server.writes(ANN, LOUNGE, "nice weather")
    chat_commands.accounts[MessageRef("slack", LOUNGE, ours)] = account(MessageRef("slack", LOUNGE, ours))
    await server.writes(ANN, LOUNGE, "yes, sunny", thread_ts=theirs)
    await server.writes(ANN, LOUNGE, "it is on fire", thread_ts=ours)
    await server.until(lambda: len(server.deliveries) == 5 and settled(server)())
    assert sorted(inbox.texts) == ["it is on fire", "my laptop"]


async def test_what_a_team_writes_under_a_card_is_a_note_and_their_other_talk_is_not(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    receipt = await socket.say(item(card(), Place("slack", BILLING)))
    ts = await server.writes(BEN, BILLING, "reply: we paid you back", thread_ts=receipt.id)
    await server.writes(BEN, BILLING, f"<@{BOT_USER}> good morning")
    await server.writes("U0OTHERBOT", BILLING, "beep", thread_ts=receipt.id, extra={"bot_id": "B0OTHER"})
    await server.until(lambda: len(server.deliveries) == 5 and settled(server)())
    [note] = inbox.notes.values()
    assert (note.ref, note.under, note.text) == (MessageRef("slack", BILLING, ts), receipt, "reply: we paid you back")
    assert (note.author.id, note.author.name, note.send) == (BEN, "u0ben", False)
    assert inbox.messages == {}


async def test_a_changed_word_is_an_edit_and_a_links_preview_or_our_own_update_is_none(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(ANN, HELP, "see https://example.com")
    ours = await socket.say(item(card(), Place("slack", BILLING)))
    await server.unfurls(HELP, ts)
    await socket.say(item(card(moved_to="it"), Place("slack", BILLING), edits=ours))
    await server.edits(ANN, HELP, ts, "see https://example.com &amp; hurry")
    await server.until(lambda: inbox.edits and settled(server)())
    assert [(edit.ref, edit.text) for edit in inbox.edits] == [
        (MessageRef("slack", HELP, ts), "see https://example.com & hurry")
    ]


@pytest.mark.parametrize("replied", [False, True], ids=["alone", "leaving a tombstone"])
async def test_a_deleted_message_is_a_deletion(
    server: SlackServer, socket: Slack, inbox: Recorder, replied: bool
) -> None:
    ts = await server.writes(ANN, HELP, "my salary is 7")
    if replied:
        await server.writes(ANN, HELP, "oops", thread_ts=ts)
    await server.deletes(ANN, HELP, ts)
    await server.until(lambda: inbox.deletions)
    assert [deletion.ref for deletion in inbox.deletions] == [MessageRef("slack", HELP, ts)]


async def test_a_file_with_a_caption_brings_both_and_a_bare_file_brings_no_words(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    file = server.files.add("bill.png", b"bytes", "image/png", HELP)
    await server.attaches(ANN, HELP, "my bill is wrong", file)
    await server.attaches(ANN, HELP, "", file)
    await server.until(lambda: len(inbox.messages) == 2)
    link = f"https://test.slack.com/files/{file.id}"
    assert {message.media for message in inbox.messages.values()} == {
        (Media("slack", file.id, MediaKind.PHOTO, "bill.png", 5, link),)
    }
    assert sorted(inbox.texts) == ["", "my bill is wrong"]


@pytest.mark.parametrize("channel", [HELP, BILLING], ids=["under the request", "under the card"])
async def test_a_leads_order_in_a_thread_is_a_choice_that_stands_like_an_emoji(
    server: SlackServer, socket: Slack, inbox: Recorder, channel: str
) -> None:
    root = await server.writes(ANN, channel, "I was charged twice")
    await server.writes(LEAD, channel, f"<@{BOT_USER}> route IT & Tools".replace("&", "&amp;"), thread_ts=root)
    await server.until(lambda: inbox.reactions and settled(server)())
    [said] = inbox.reactions
    assert (said.ref, said.actor.id, said.emoji, said.added) == (
        MessageRef("slack", channel, root),
        LEAD,
        choice("it"),
        True,
    )
    assert f"<@{BOT_USER}>" not in str(inbox.texts) and inbox.notes == {}


@pytest.mark.parametrize(
    ("who", "team", "told"),
    [(ANN, "it", "Só líderes"), (STRANGER, "it", "Only leads"), (LEAD, "nobody", "no team called nobody")],
)
async def test_an_order_that_cannot_stand_is_explained_once_to_its_author_alone(
    server: SlackServer, socket: Slack, inbox: Recorder, who: str, team: str, told: str
) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice")
    await server.writes(who, HELP, f"<@{BOT_USER}> route {team}", thread_ts=root)
    shown = await whispered(server, HELP, who)
    await server.until(settled(server))
    assert told in shown.text
    assert shown.thread_ts == root
    assert len(server.ephemerals(HELP, who)) == 1
    assert inbox.reactions == []


async def test_a_lead_of_one_team_may_order_too(server: SlackServer, socket: Slack, inbox: Recorder) -> None:
    root = await server.writes(ANN, HELP, "I was charged twice")
    await server.writes(TEAM_LEAD, HELP, f"<@{BOT_USER}> route billing", thread_ts=root)
    await server.until(lambda: inbox.reactions)
    assert inbox.reactions[0].emoji == choice("billing")


async def test_a_channel_with_a_new_id_is_told_to_the_record(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    server.emits({"type": "channel_id_changed", "old_channel_id": "G0OLD", "new_channel_id": BILLING})
    await server.until(settled(server))
    assert inbox.moved == [("slack", "G0OLD", BILLING)]


async def test_a_room_with_a_new_id_stays_a_room(server: SlackServer, socket: Slack, inbox: Recorder) -> None:
    server.emits({"type": "channel_id_changed", "old_channel_id": BILLING, "new_channel_id": LOUNGE})
    await server.until(settled(server))
    root = await server.writes(ANN, LOUNGE, "as it were a card")
    await server.writes(BEN, LOUNGE, f"<@{BOT_USER}> she is lying", thread_ts=root)
    await server.until(lambda: inbox.notes and settled(server)())
    assert [note.text for note in inbox.notes.values()] == ["she is lying"]
    assert inbox.texts == []


@pytest.mark.parametrize("words", ["she is lying", f"<@{BOT_USER}> she is lying"])
@pytest.mark.parametrize("where", [LOUNGE, HELP], ids=["no channel of ours", "an intake channel by now"])
async def test_what_is_said_under_a_card_in_a_channel_that_the_settings_forgot_is_a_note_and_no_request(
    server: SlackServer, inbox: Recorder, where: str, words: str
) -> None:
    ledger = FakeLedger()
    async with speaking(config(server), around(ledger=ledger)) as slack, listening(server, slack, inbox):
        root = await server.writes(ANN, where, "as it were a card")
        await server.until(settled(server))
        inbox.messages.clear()
        ledger.teams.add(MessageRef("slack", where, root))
        await server.writes(BEN, where, words, thread_ts=root)
        await server.until(lambda: inbox.notes and settled(server)())
    [note] = inbox.notes.values()
    assert (note.text, note.under) == ("she is lying", MessageRef("slack", where, root))
    assert inbox.texts == []


async def test_a_channel_that_got_another_id_before_we_began_is_still_a_teams(
    server: SlackServer, inbox: Recorder
) -> None:
    ledger = FakeLedger(moved={BILLING: LOUNGE})
    async with speaking(config(server), around(ledger=ledger)) as slack, listening(server, slack, inbox):
        root = await server.writes(ANN, LOUNGE, f"<@{BOT_USER}> as it were a card")
        await server.writes(BEN, LOUNGE, f"<@{BOT_USER}> she is lying", thread_ts=root)
        await server.until(lambda: inbox.notes and settled(server)())
    assert inbox.texts == []


async def test_an_edit_or_note_that_could_not_be_stored_comes_again(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    ts = await server.writes(ANN, HELP, "helo")
    root = await server.writes(ANN, BILLING, "as it were a card")
    await server.until(lambda: inbox.messages and settled(server)())
    inbox.down = True
    await server.edits(ANN, HELP, ts, "hello")
    await server.writes(BEN, BILLING, "a note", thread_ts=root)
    await server.until(lambda: all(delivery.failures for delivery in server.deliveries[-2:]))
    inbox.down = False
    await server.until(settled(server))
    assert [edit.text for edit in inbox.edits] == ["hello"]
    assert [note.text for note in inbox.notes.values()] == ["a note"]


async def test_people_of_another_company_are_known_as_such(server: SlackServer, socket: Slack, inbox: Recorder) -> None:
    await server.writes(STRANGER, HELP, "may I ask?")
    await server.writes(ANN, HELP, "and I?")
    await server.until(lambda: len(inbox.messages) == 2)
    assert {message.author.id: message.author.external for message in inbox.messages.values()} == {
        STRANGER: True,
        ANN: False,
    }


async def test_another_company_is_known_by_the_event_when_slack_does_not_say_who_writes(
    server: SlackServer, socket: Slack, inbox: Recorder
) -> None:
    server.fail("users.info", status=500)
    await server.writes(STRANGER, HELP, "may I ask?")
    await server.until(lambda: inbox.messages)
    assert next(iter(inbox.messages.values())).author.external


async def test_custom_aliases_skin_tones_and_second_names_are_one_emoji(
    server: SlackServer, inbox: Recorder, chat_commands: FakeDesk
) -> None:
    server.space.emoji = {"cash": "alias:moneybag"}
    async with speaking(config(server), around(chat_commands)) as slack, listening(server, slack, inbox):
        receipt = await slack.say(item(card(), Place("slack", BILLING)))
        await server.until(lambda: server.calls_to("emoji.list"))
        await server.reacts(LEAD, BILLING, receipt.id, "cash")
        await server.reacts(LEAD, BILLING, receipt.id, "thumbsdown::skin-tone-4")
        server.space.emoji = {"laptop": "alias:wrench"}
        server.emits({"type": "emoji_changed", "subtype": "add"})
        await server.until(lambda: len(server.calls_to("emoji.list")) == 2 and settled(server)())
        await server.reacts(LEAD, BILLING, receipt.id, "laptop")
        await server.until(lambda: len(inbox.reactions) == 3)
    assert {reaction.emoji for reaction in inbox.reactions} == {"moneybag", "-1", "wrench"}
