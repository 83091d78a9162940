"""What people ask the bot by command, and its answers."""

import logging
from datetime import timedelta

import pytest

from bot.domain.conversations import State
from bot.domain.messages import MessageRef
from bot.domain.queries import Request
from bot.platforms.telegram import adapter, outbound
from tests.integration.platforms.telegram.parts import ANN, BILLING, STRANGER, Counter, Recorder, hearing
from tests.samples import NOW
from tests.servers.telegram import Post, TelegramServer, User

LOUNGE = -1008


@pytest.fixture
def chat_commands() -> Counter:
    return Counter()


@pytest.fixture
async def english(server: TelegramServer) -> TelegramServer:
    server.add_user(User(id=ANN, first_name="Ann", language_code="en"))
    server.add_group(LOUNGE, "lounge")
    return server


def buttons(post: Post) -> dict[str, str]:
    rows = post.buttons.get("inline_keyboard", [])
    assert isinstance(rows, list)
    return {button["text"]: button["callback_data"] for row in rows for button in row}


def request(excerpt: str, chat: int = ANN, label: str | None = None, state: State = State.NEW) -> Request:
    return Request(1, label, state, excerpt, MessageRef("telegram", str(chat), "1"), None, NOW, None)


async def asked(server: TelegramServer, text: str, chat: int | None = None) -> Post:
    """The bot's answer to a command of Ann's."""
    place = chat or ANN
    before = len(server.posts(place))
    await server.writes(ANN, text, chat)
    await server.until(lambda: len(server.posts(place)) > before)
    return server.posts(place)[-1]


@pytest.mark.parametrize("text", ["/start", "/start tkt_42", "/START@switchboard_bot tkt_42"])
async def test_start_greets_and_its_payload_is_no_request(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter, text: str
) -> None:
    async with hearing(english, inbox, chat_commands):
        post = await asked(english, text)
    assert post.text.startswith("Hello! Tell me in a few words")
    assert inbox.messages == {}


async def test_help_names_every_command_of_the_menu(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        text = (await asked(english, "/help")).text
    menu = english.account.commands["default", ""]
    assert [f"/{one['command']} – {one['description']}" in text for one in menu] == [True] * 6


async def test_the_menu_is_there_in_every_offered_language(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        pass
    found = {tag: menu[0]["description"] for (_, tag), menu in english.account.commands.items()}
    assert found == {
        "": "Begin another request",
        "en": "Begin another request",
        "pt": "Começar outro pedido",
        "es": "Empezar otra solicitud",
    }


async def test_a_menu_that_telegram_does_not_take_is_no_reason_not_to_listen(
    english: TelegramServer, inbox: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    english.fail("setMyCommands", status=500)
    async with hearing(english, inbox):
        await english.writes(ANN, "hello")
        await english.until(lambda: inbox.texts == ["hello"])
    assert "menu of commands not set" in caplog.text


async def test_privacy_says_what_is_kept_and_how_to_erase_it(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        assert "/forget" in (await asked(english, "/privacy")).text


async def test_new_begins_another_request(english: TelegramServer, inbox: Recorder, chat_commands: Counter) -> None:
    async with hearing(english, inbox, chat_commands):
        await asked(english, "/new")
        await english.writes(ANN, "another matter")
        await english.until(lambda: inbox.texts == ["another matter"])
    assert chat_commands.fresh == [(str(ANN), str(ANN))]


async def test_status_lists_open_requests_and_where_they_are(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    chat_commands.requests = [
        request("<b>charged</b> twice", label="billing", state=State.ROUTED),
        request("parcel"),
        request("hm", label="it", state=State.ASKED),
    ]
    async with hearing(english, inbox, chat_commands):
        post = await asked(english, "/status")
        chat_commands.requests = []
        nothing = await asked(english, "/status")
    assert post.text.split("\n") == [
        "Your open requests:",
        "• <b>charged</b> twice – with billing",
        "• parcel – on its way to a team",
        "• hm – waiting for you to say who can help",
    ]
    assert nothing.text.startswith("You have no open request")


async def test_in_a_group_status_tells_nothing_of_what_was_said_elsewhere(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    chat_commands.requests = [request("a private matter"), request("said here", chat=LOUNGE)]
    async with hearing(english, inbox, chat_commands):
        post = await asked(english, "/status@switchboard_bot", LOUNGE)
    assert "said here" in post.text
    assert "private" not in post.text
    assert post.reply_to is not None


async def test_language_is_chosen_by_button_and_spoken_at_once(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        post = await asked(english, "/language")
        assert [*buttons(post)] == ["English", "Português (Brasil)", "Español"]
        query = await english.presses(ANN, ANN, post.message_id, buttons(post)["Español"])
        await english.until(lambda: english.answers(query))
        assert english.posts(ANN)[-1].text == "A partir de ahora te hablo en español."
        assert english.posts(ANN)[-1].buttons == {}
        assert (await asked(english, "/new")).text.startswith("De acuerdo")
    assert chat_commands.languages == {str(ANN): "es"}
    assert inbox.presses == {}, "a command's button is no answer to a question"


@pytest.mark.parametrize(("wanted", "tag"), [("pt", "pt-BR"), ("PT_br", "pt-BR"), ("español", "es"), ("en", "en")])
async def test_language_takes_an_argument(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter, wanted: str, tag: str
) -> None:
    async with hearing(english, inbox, chat_commands):
        await asked(english, f"/language {wanted}")
    assert chat_commands.languages == {str(ANN): tag}


async def test_a_language_we_do_not_speak_is_answered_with_those_we_do(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        post = await asked(english, "/language klingon")
    assert post.text.startswith("I do not speak that one")
    assert len(buttons(post)) == 3
    assert chat_commands.languages == {}


async def test_without_a_choice_we_speak_what_their_telegram_speaks(
    server: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    server.add_user(User(id=STRANGER, first_name="Otto", language_code="de"))
    async with hearing(server, inbox, chat_commands):
        assert (await asked(server, "/new")).text.startswith("Certo.")
        await server.writes(STRANGER, "/new")
        await server.until(lambda: server.posts(STRANGER))
    assert server.posts(STRANGER)[0].text.startswith("All right.")


async def test_forget_asks_first_erases_then_and_again_changes_nothing(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        post = await asked(english, "/forget yes")
        assert chat_commands.forgotten == []
        sure = buttons(post)["Yes, erase it"]
        query = await english.presses(ANN, ANN, post.message_id, sure)
        await english.until(lambda: english.answers(query))
        assert english.posts(ANN)[-1].text == (
            "Done. What you wrote, your name and what was learned from it are erased. "
            "Three things stay: your own messages in the chats where you wrote them (delete them there), "
            "files that you sent in the chats where a team got them, and what a team wrote itself in its room. "
            "One thing takes longer: a model may have learned from your words. "
            "It is trained anew without them, and may serve until 2027-01-31 at the latest."
        )
        assert english.posts(ANN)[-1].buttons == {}
        again = await english.presses(ANN, ANN, post.message_id, sure)
        await english.until(lambda: english.answers(again))
    assert chat_commands.forgotten == [str(ANN)], "its button is gone by then"


async def test_who_thinks_better_of_it_keeps_everything(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        post = await asked(english, "/forget")
        await english.presses(ANN, ANN, post.message_id, buttons(post)["No, keep it"])
        await english.until(lambda: english.posts(ANN)[-1].text == "Nothing was erased.")
    assert chat_commands.forgotten == []


async def test_nobody_presses_the_button_of_somebody_else(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        post = await asked(english, "/forget@switchboard_bot", LOUNGE)
        value = buttons(post)["Yes, erase it"]
        strangers = await english.presses(STRANGER, LOUNGE, post.message_id, value)
        forged = await english.presses(STRANGER, LOUNGE, post.message_id, f"/forget {STRANGER} yes")
        await english.until(lambda: english.answers(strangers) and english.answers(forged))
    assert chat_commands.forgotten == []
    assert english.posts(LOUNGE)[-1].text == post.text


async def test_an_unknown_command_is_met_with_a_hint_and_another_bots_with_silence(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        assert "/help" in (await asked(english, "/frobnicate")).text
        await english.writes(ANN, "/frobnicate@switchboard_bot", LOUNGE)
        await english.writes(ANN, "/help@otherbot")
        await english.writes(ANN, "/help@otherbot", LOUNGE)
        await english.writes(ANN, "/help", LOUNGE)
        await english.writes(ANN, "a request")
        await english.until(lambda: inbox.texts == ["a request"])
        await english.until(lambda: english.posts(LOUNGE))
    assert len(english.posts(ANN)) == 1
    assert ["/help" in post.text for post in english.posts(LOUNGE)] == [True]


async def test_in_a_teams_room_commands_are_talk_among_colleagues(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        await english.writes(ANN, "/new@switchboard_bot", BILLING)
        await english.writes(ANN, "a request")
        await english.until(lambda: inbox.texts == ["a request"])
        await english.until(lambda: english.posts(BILLING))
    assert chat_commands.fresh == []
    assert ["no request" in post.text for post in english.posts(BILLING)] == [True]


async def test_a_command_that_the_desk_could_not_obey_comes_again(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "_FIRST_WAIT", 0.05)
    chat_commands.down = True
    async with hearing(english, inbox, chat_commands) as telegram:
        await english.writes(ANN, "/new")
        await english.until(lambda: not telegram.healthy())
        assert len(english.feed.pending) == 1
        chat_commands.down = False
        await english.until(lambda: chat_commands.fresh)
        await english.until(lambda: not english.feed.pending)


async def test_an_answer_that_must_wait_holds_up_nobody_and_is_given_later(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "_PATIENCE", timedelta(seconds=0.3))
    english.fail("sendMessage", status=502)
    async with hearing(english, inbox, chat_commands):
        await english.writes(ANN, "/help")
        await english.writes(STRANGER, "a request")
        await english.until(lambda: inbox.texts == ["a request"])
        assert english.posts(ANN) == []
        await english.until(lambda: english.posts(ANN))


async def test_whoever_floods_us_with_commands_is_answered_at_telegrams_pace(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter
) -> None:
    async with hearing(english, inbox, chat_commands):
        for _ in range(30):
            await english.writes(ANN, "/help")
        await english.writes(STRANGER, "a request")
        await english.until(lambda: inbox.texts == ["a request"])
        assert len(english.posts(ANN)) <= 3
        assert len(english.calls_to("sendMessage")) <= 3


async def test_a_person_who_blocked_us_after_asking_is_no_trouble(
    english: TelegramServer, inbox: Recorder, chat_commands: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with hearing(english, inbox, chat_commands):
        await english.blocks(ANN)
        await english.writes(ANN, "/help")
        await english.writes(STRANGER, "a request")
        await english.until(lambda: inbox.texts == ["a request"])
        await english.until(lambda: "command not answered" in caplog.messages)
    assert [record.levelname for record in caplog.records if record.message == "command not answered"] == ["INFO"]
