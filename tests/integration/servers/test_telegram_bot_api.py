"""The Bot API of the local Telegram server: what it answers, refuses, and how it misbehaves on request."""

import asyncio

import aiohttp
import pytest
from telegram import BotCommand, ChatMemberAdministrator
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.ext import AIORateLimiter, ApplicationBuilder

from tests.integration.servers.telegram_bot import ANN, LEAD, TEAM, Seen, bare_bot, one_button, polling
from tests.servers.telegram import BOT, TelegramServer, User


async def test_a_wrong_token_is_refused_and_kept_out_of_the_record(telegram: TelegramServer) -> None:
    with pytest.raises(InvalidToken):
        async with bare_bot(telegram, "1:other"):
            pass
    assert "1:other" not in repr(telegram.calls)


@pytest.mark.parametrize(
    ("text", "mode", "error"),
    [
        ("x" * 4097, None, "Message is too long"),
        (" ", None, "text is empty"),
        ("a < b", ParseMode.HTML, "can't parse entities"),
        ("<b>bold", ParseMode.HTML, "Can't find end tag corresponding to start tag"),
        ("<b><i>crossed</b></i>", ParseMode.HTML, "Unmatched end tag"),
        ("closed</b>", ParseMode.HTML, "Unexpected end tag"),
        ("<script>x</script>", ParseMode.HTML, "Unsupported start tag"),
    ],
)
async def test_a_text_that_telegram_would_refuse_is_refused(
    telegram: TelegramServer, text: str, mode: str | None, error: str
) -> None:
    async with bare_bot(telegram) as bot:
        with pytest.raises(BadRequest, match=rf"(?i){error}"):
            await bot.send_message(TEAM, text, parse_mode=mode)
    assert telegram.posts(TEAM) == []


async def test_html_becomes_text_with_entities_counted_in_utf16(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as bot:
        sent = await bot.send_message(TEAM, "😀 <b>a &lt; b</b>", parse_mode=ParseMode.HTML)
    assert sent.text == "😀 a < b"
    assert [(one.type, one.offset, one.length) for one in sent.entities] == [("bold", 3, 5)]
    assert sent.text_html == "😀 <b>a &lt; b</b>"


async def test_4096_characters_after_parsing_are_allowed(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as bot:
        await bot.send_message(TEAM, f"<b>{'&amp;' * 4096}</b>", parse_mode=ParseMode.HTML)
    assert telegram.posts(TEAM)[0].text == "&" * 4096


async def test_an_edit_keeps_the_earlier_version_and_the_same_again_is_an_error(
    telegram: TelegramServer,
) -> None:
    async with bare_bot(telegram) as bot:
        sent = await bot.send_message(TEAM, "card", reply_markup=one_button("undo"))
        await bot.edit_message_text("moved", TEAM, sent.message_id)
        with pytest.raises(BadRequest, match=r"(?i)message is not modified"):
            await bot.edit_message_text("moved", TEAM, sent.message_id)
        [post] = telegram.posts(TEAM)
        assert (post.text, post.buttons, [old.text for old in post.edits]) == ("moved", {}, ["card"])
        await bot.delete_message(TEAM, sent.message_id)
        with pytest.raises(BadRequest, match=r"(?i)message to delete not found"):
            await bot.delete_message(TEAM, sent.message_id)
    assert telegram.posts(TEAM) == []


async def test_writing_to_somebody_who_never_started_the_bot_is_forbidden(telegram: TelegramServer) -> None:
    telegram.add_user(User(id=333, first_name="Silent"))
    telegram.add_group(-200, "gone", bot="kicked")
    async with bare_bot(telegram) as bot:
        with pytest.raises(Forbidden, match="can't initiate conversation"):
            await bot.send_message(333, "hello")
        with pytest.raises(Forbidden, match="kicked"):
            await bot.send_message(-200, "hello")
        with pytest.raises(BadRequest, match=r"(?i)chat not found"):
            await bot.send_message(-300, "hello")


async def test_topics_replies_and_button_data_are_checked(telegram: TelegramServer) -> None:
    telegram.add_group(TEAM, "billing", topics=[7])
    async with bare_bot(telegram) as bot:
        await bot.send_message(TEAM, "in the topic", message_thread_id=7)
        with pytest.raises(BadRequest, match=r"(?i)message thread not found"):
            await bot.send_message(TEAM, "nowhere", message_thread_id=8)
        with pytest.raises(BadRequest, match=r"(?i)message to be replied not found"):
            await bot.send_message(TEAM, "to whom?", reply_to_message_id=99)
        with pytest.raises(BadRequest, match=r"(?i)button_data_invalid"):
            await bot.send_message(TEAM, "which?", reply_markup=one_button("ж" * 33))
    assert [(post.text, post.thread) for post in telegram.posts(TEAM)] == [("in the topic", 7)]


async def test_the_bot_may_react_with_one_of_the_standard_emoji(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen) as bot:
        message = await telegram.writes(ANN, "hello")
        await bot.set_message_reaction(ANN, message, "👀")
        with pytest.raises(BadRequest, match=r"(?i)reaction_invalid"):
            await bot.set_message_reaction(ANN, message, "💰")
    assert telegram.reactions(ANN, message) == {BOT: [{"type": "emoji", "emoji": "👀"}]}
    assert seen.reactions() == [], "a bot's own reaction is no update"


async def test_memberships_chats_commands_and_files_can_be_looked_up(telegram: TelegramServer) -> None:
    telegram.add_member(TEAM, LEAD, "administrator")
    telegram.add_file("photo-1", "photos/1.jpg", b"picture")
    async with bare_bot(telegram) as bot:
        assert isinstance(await bot.get_chat_member(TEAM, BOT), ChatMemberAdministrator)
        assert {member.user.id for member in await bot.get_chat_administrators(TEAM)} == {BOT, LEAD}
        assert (await bot.get_chat(TEAM)).title == "billing"
        await bot.set_my_commands([BotCommand("help", "What I can do")], language_code="de")
        file = await bot.get_file("photo-1")
        assert bytes(await file.download_as_bytearray()) == b"picture"
    assert telegram.account.commands["default", "de"] == [{"command": "help", "description": "What I can do"}]


async def test_a_flood_wait_raises_with_its_seconds_and_is_waited_for_with_a_rate_limiter_that_retries(
    telegram: TelegramServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library's future form of retry_after; it warns about the old one.
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    telegram.fail("sendMessage", retry_after=1, times=2)
    async with bare_bot(telegram) as bot:
        with pytest.raises(RetryAfter):
            await bot.send_message(TEAM, "impatient")
    builder = ApplicationBuilder().token(telegram.token).base_url(telegram.api_url)
    app = builder.rate_limiter(AIORateLimiter(max_retries=2)).build()
    async with app:
        began = asyncio.get_running_loop().time()
        await app.bot.send_message(TEAM, "patient")
        assert asyncio.get_running_loop().time() - began >= 1.0
    assert [post.text for post in telegram.posts(TEAM)] == ["patient"]


async def test_a_lost_or_late_answer_leaves_the_message_sent(telegram: TelegramServer) -> None:
    telegram.fail("sendMessage", lose_response=True)
    telegram.fail("sendMessage", delay=0.5)
    async with bare_bot(telegram) as bot:
        with pytest.raises(TelegramError):
            await bot.send_message(TEAM, "lost")
        with pytest.raises(TimedOut):
            await bot.send_message(TEAM, "late", read_timeout=0.1)
        await telegram.until(lambda: len(telegram.posts(TEAM)) == 2)


async def test_an_error_of_any_kind_can_be_planned(telegram: TelegramServer) -> None:
    telegram.fail("sendMessage", error="Forbidden: bot was blocked by the user", status=403)
    async with bare_bot(telegram) as bot:
        with pytest.raises(Forbidden):
            await bot.send_message(TEAM, "hello")
        await bot.send_message(TEAM, "hello")
    assert len(telegram.posts(TEAM)) == 1


async def test_the_control_api_drives_the_server_from_another_process(telegram: TelegramServer) -> None:
    async with aiohttp.ClientSession(telegram.url) as session, bare_bot(telegram) as bot:
        async with session.post("/_control/writes", json={"user": ANN, "text": "hello"}) as answer:
            message = (await answer.json())["result"]
        await bot.send_message(ANN, "yes?", reply_to_message_id=message)
        async with session.post("/_control/posts", json={"chat": ANN}) as answer:
            assert (await answer.json())["result"][0]["text"] == "yes?"
