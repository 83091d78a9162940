"""What a team writes under a card, and what the bot offers and says there."""

import pytest

from bot.domain.errors import Refused
from bot.domain.messages import MessageRef, Person
from bot.domain.posts import SEND, FollowUp, Notice, Offer, Question, Sent, Solved, What, WrongTeam
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    IT,
    LEAD,
    STRANGER,
    Recorder,
    config,
    connected,
    hearing,
    item,
)
from tests.integration.platforms.telegram.test_outbound import CARD
from tests.servers.telegram import BOT, TelegramServer


def at(chat: int, message: int) -> MessageRef:
    return MessageRef("telegram", str(chat), str(message))


async def test_a_reply_to_a_card_or_to_anything_in_its_chain_is_a_note(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, str(BILLING)))
        follow_up = await telegram.say(item(FollowUp("Ann", "more"), str(BILLING), under=card))
        first = await server.writes(LEAD, "on it", BILLING, reply_to=int(card.id))
        second = await server.writes(STRANGER, "me too", BILLING, reply_to=int(follow_up.id))
        third = await server.writes(LEAD, "thanks", BILLING, reply_to=second)
        await server.until(lambda: len(inbox.notes) == 3)
    assert [(note.ref, note.under, note.author.id, note.text) for note in inbox.notes.values()] == [
        (at(BILLING, first), card, str(LEAD), "on it"),
        (at(BILLING, second), follow_up, str(STRANGER), "me too"),
        (at(BILLING, third), at(BILLING, second), str(LEAD), "thanks"),
    ]
    assert inbox.messages == {}


async def test_other_talk_in_a_teams_room_is_not_ours(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, str(BILLING)))
        await server.writes(LEAD, "lunch?", BILLING)
        await server.writes(LEAD, "@switchboard_bot is nice", BILLING)
        await server.writes_anonymously(BILLING, "whoever I am", reply_to=int(card.id))
        await server.writes(ANN, "a request")
        await server.until(lambda: inbox.texts == ["a request"])
    assert inbox.notes == {}


async def test_in_a_topic_only_an_explicit_reply_is_a_note(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, f"{IT}/45"))
        opening: dict[str, object] = {
            "reply_to_message": {**_opening(), "forum_topic_created": {"name": "it", "icon_color": 0}}
        }
        await server.writes(LEAD, "lunch?", IT, thread=45, extra=opening)
        note = await server.writes(LEAD, "on it", IT, thread=45, reply_to=int(card.id))
        await server.until(lambda: inbox.notes)
    assert [(one.ref, one.under) for one in inbox.notes.values()] == [(at(IT, note), card)]


def _opening() -> dict[str, object]:
    chat = {"id": IT, "type": "supergroup", "title": "it"}
    return {"message_id": 45, "date": 1, "chat": chat, "from": {"id": BOT, "is_bot": True, "first_name": "S"}}


async def test_an_edited_note_is_an_edit_of_it(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, f"{IT}/45"))
        note = await server.writes(LEAD, "onit", IT, thread=45, reply_to=int(card.id))
        await server.edits(LEAD, IT, note, "on it")
        await server.until(lambda: inbox.edits)
    [edit] = inbox.edits
    assert (edit.ref, edit.text) == (at(IT, note), "on it")
    assert [*inbox.notes] == [edit.ref]


async def test_the_sending_emoji_points_at_the_note_it_is_on(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, f"{IT}/45"))
        note = await server.writes(LEAD, "we refunded it", IT, thread=45, reply_to=int(card.id))
        await server.reacts(LEAD, IT, note, new=["🕊"])
        await server.until(lambda: inbox.reactions)
    assert [(one.ref, one.emoji) for one in inbox.reactions] == [(at(IT, note), "🕊")]
    assert [*inbox.notes] == [at(IT, note)]


async def test_an_offer_is_a_quiet_reply_to_the_note_and_loses_its_button(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, str(BILLING)))
        note = await server.writes(LEAD, "we refunded it", BILLING, reply_to=int(card.id))
        offer = Offer(1, "Ann", "we refunded it")
        receipt = await telegram.say(item(offer, str(BILLING), under=card, answers=at(BILLING, note)))
        said = server.posts(BILLING)[-1]
        await server.presses(LEAD, BILLING, int(receipt.id), SEND)
        await server.until(lambda: inbox.presses)
        await telegram.say(item(Offer(1, "Ann", "we refunded it", sent=True), str(BILLING), edits=receipt))
    assert (said.reply_to, said.quiet, said.text) == (note, True, "Only your team sees this. Send it to Ann?")
    assert [(press.ref, press.value) for press in inbox.presses] == [(receipt, SEND)]
    assert server.posts(BILLING)[-1].buttons == {}


async def test_what_only_one_person_may_see_is_said_to_nobody(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        assert not telegram.whispers
        with pytest.raises(Refused, match="one person"):
            await telegram.say(item(Notice(What.NO_LEAD), str(BILLING), only_for=Person("telegram", str(STRANGER))))
    assert server.posts(BILLING) == []


async def test_what_was_sent_stands_under_the_card_with_its_tick(server: TelegramServer) -> None:
    async with connected(config(server)) as telegram:
        card = await telegram.say(item(CARD, str(BILLING)))
        await telegram.say(item(Sent("<refunded>", "Lee", "Ann"), str(BILLING), under=card))
        await telegram.say(item(Sent("x", "Lee", "Ann", problem="bot was blocked"), str(BILLING), under=card))
    _, sent, failed = server.posts(BILLING)
    assert (sent.text, sent.reply_to) == ("Lee sent to Ann ✓\n<refunded>", int(card.id))
    assert "✗ bot was blocked" in failed.text


async def test_the_wrong_team_is_asked_under_the_card_and_answered_by_position(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox) as telegram:
        card = await telegram.say(item(CARD, str(BILLING)))
        await server.reacts(LEAD, BILLING, int(card.id), new=["👎"])
        receipt = await telegram.say(item(WrongTeam(("it",)), str(BILLING), under=card))
        query = await server.presses(LEAD, BILLING, int(receipt.id), "0")
        await server.until(lambda: server.answers(query))
        await telegram.say(item(WrongTeam((), chosen="it"), str(BILLING), edits=receipt))
    assert inbox.changes == [(str(LEAD), "👎", True)]
    assert [(press.ref, press.actor.id, press.value) for press in inbox.presses] == [(receipt, str(LEAD), "0")]
    asked = server.posts(BILLING)[-1]
    assert (asked.reply_to, asked.text, asked.buttons) == (int(card.id), "It belongs to IT", {})


async def test_whether_it_is_solved_is_asked_in_the_persons_chat(server: TelegramServer, inbox: Recorder) -> None:
    await server.writes(ANN, "hello")
    async with hearing(server, inbox) as telegram:
        receipt = await telegram.say(item(Solved("billing", "en"), str(ANN)))
        await server.presses(ANN, ANN, int(receipt.id), "no")
        await server.until(lambda: inbox.presses)
    assert [press.value for press in inbox.presses] == ["no"]


@pytest.mark.parametrize("value", ["99", "billing", "", "x" * 64, "yes", "no:7"])
async def test_a_forged_press_is_passed_on_as_it_is_and_let_go(
    server: TelegramServer, inbox: Recorder, value: str
) -> None:
    await server.writes(ANN, "hello")
    async with hearing(server, inbox) as telegram:
        receipt = await telegram.say(item(Question(("billing",), "en"), str(ANN)))
        query = await server.presses(STRANGER, ANN, int(receipt.id), value)
        await server.until(lambda: server.answers(query))
    assert [press.value for press in inbox.presses] == [value]
