"""Everybody who writes to the bot gets an answer, at least a reason, whatever they send, wherever, as anybody."""

import pytest

from bot.domain.messages import MessageRef, Person, Place
from bot.domain.posts import Question
from bot.domain.presses import Button
from tests.fakes_ledger import FakeLedger
from tests.integration.platforms.telegram.parts import (
    ANN,
    BILLING,
    LEAD,
    STRANGER,
    Recorder,
    config,
    connected,
    hearing,
    item,
    listening,
    platform_context,
)
from tests.servers.telegram import BOT, TelegramServer

LOUNGE = -1008
ANN_HERSELF = Person("telegram", str(ANN), "Ann")


def picked(text: str, name: str) -> dict[str, object]:
    bot = {"id": BOT, "is_bot": True, "first_name": "Switchboard"}
    at = len(text.partition(name)[0].encode("utf-16-le")) // 2
    return {"type": "text_mention", "offset": at, "length": len(name), "user": bot}


@pytest.fixture(autouse=True)
def lounge(server: TelegramServer) -> None:
    server.add_group(LOUNGE, "lounge")


async def test_picked_by_the_name_that_is_shown_it_hears(server: TelegramServer, inbox: Recorder) -> None:
    text = "😀 Switchboard, I was charged twice"
    async with hearing(server, inbox):
        await server.writes(ANN, text, LOUNGE, extra={"entities": [picked(text, "Switchboard")]})
        photo = [{"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}]
        captioned = {"caption": text, "caption_entities": [picked(text, "Switchboard")]}
        await server.writes(ANN, "", LOUNGE, extra={"text": None, "photo": photo, **captioned})
        await server.until(lambda: len(inbox.messages) == 2)
    assert inbox.texts == ["😀 I was charged twice"] * 2


async def test_a_mention_that_an_edit_brings_makes_a_request_and_another_edit_changes_it(
    server: TelegramServer, inbox: Recorder
) -> None:
    async with hearing(server, inbox):
        message = await server.writes(ANN, "I was charged twice", LOUNGE)
        await server.edits(ANN, LOUNGE, message, "@switchboard_bot I was charged twice")
        await server.until(lambda: inbox.messages)
        await server.edits(ANN, LOUNGE, message, "@switchboard_bot I was charged 3 times")
        await server.until(lambda: len(inbox.edits) == 2)
    assert [(one.ref.id, one.text) for one in inbox.messages.values()] == [(str(message), "I was charged twice")]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"giveaway": {"chats": [], "winners_selection_date": 9, "winner_count": 1}}, "cannot read this kind"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "cannot read this kind"),
        ({}, "cannot read this kind"),
    ],
    ids=["a giveaway", "dice", "what Telegram does not hand to bots"],
)
async def test_what_cannot_be_read_is_answered_once(
    server: TelegramServer, inbox: Recorder, sent: dict[str, object], said: str
) -> None:
    async with hearing(server, inbox):
        for _ in range(2):
            await server.writes(LEAD, "", extra={"text": None, **sent})
        await server.writes(LEAD, "a request")
        await server.until(lambda: inbox.texts == ["a request"])
        await server.until(lambda: server.posts(LEAD))
    assert [said in post.text for post in server.posts(LEAD)] == [True]


async def test_news_of_a_chat_is_answered_by_nobody(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        pinned = {"message_id": 1, "date": 1, "chat": {"id": LEAD, "type": "private", "first_name": "L"}, "text": "x"}
        await server.writes(LEAD, "", extra={"text": None, "pinned_message": pinned})
        await server.writes(LEAD, "a request")
        await server.until(lambda: inbox.texts == ["a request"])
    assert server.posts(LEAD) == []


async def test_who_hides_behind_a_group_is_told_to_come_out(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        await server.writes_anonymously(LOUNGE, "@switchboard_bot I was charged twice")
        await server.until(lambda: server.posts(LOUNGE))
    assert "under your own name" in server.posts(LOUNGE)[0].text
    assert inbox.messages == {}


async def test_a_mention_in_a_teams_room_is_told_that_it_is_no_request(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        await server.writes(LEAD, "@switchboard_bot who has this?", BILLING)
        await server.until(lambda: server.posts(BILLING))
    assert "no request" in server.posts(BILLING)[0].text
    assert (inbox.messages, inbox.notes) == ({}, {})


async def test_an_unknown_command_that_names_us_in_a_group_is_answered(server: TelegramServer, inbox: Recorder) -> None:
    async with hearing(server, inbox):
        await server.writes(ANN, "/dance@switchboard_bot", LOUNGE)
        await server.until(lambda: server.posts(LOUNGE))
    assert "/help" in server.posts(LOUNGE)[0].text


@pytest.mark.parametrize(
    ("button", "said"),
    [
        (
            Button(Place("telegram", str(LOUNGE)), False, ANN_HERSELF),
            "Only Ann can answer this.",
        ),
        (Button(Place("telegram", str(LOUNGE)), True, ANN_HERSELF), "This is settled already."),
        (Button(Place("telegram", str(BILLING)), False, for_leads=True, label="billing"), "Only leads"),
        (Button(Place("telegram", str(BILLING)), False), "Only people of the team"),
    ],
    ids=["somebody else's question", "a settled one", "leads", "the team"],
)
async def test_a_strangers_press_is_answered_to_them_alone(
    server: TelegramServer, inbox: Recorder, button: Button, said: str
) -> None:
    ledger = FakeLedger()
    async with (
        connected(config(server), platform_context(ledger=ledger)) as telegram,
        listening(server, telegram, inbox),
    ):
        asked = await telegram.say(item(Question(("billing", "it"), "en"), str(LOUNGE)))
        ledger.buttons[MessageRef("telegram", str(LOUNGE), asked.id)] = button
        await server.presses(STRANGER, LOUNGE, int(asked.id), "0")
        await server.until(lambda: server.calls_to("answerCallbackQuery"))
    [answer] = server.calls_to("answerCallbackQuery")
    assert said in str(answer)
