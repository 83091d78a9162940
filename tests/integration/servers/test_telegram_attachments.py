"""The local Telegram's files, groups that change and topics that close, against the real python-telegram-bot."""

import pytest
from telegram import InputMediaPhoto, Message
from telegram.constants import ReactionEmoji
from telegram.error import BadRequest, ChatMigrated

from tests.integration.servers.telegram_bot import ANN, LEAD, TEAM, Seen, bare_bot, polling
from tests.servers.telegram import ANONYMOUS, TelegramServer


async def test_a_file_somebody_shows_arrives_and_can_be_downloaded(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen) as bot:
        await telegram.shows(ANN, "document", b"pdf", caption="the bill", name="bill.pdf")
        await telegram.until(lambda: seen.updates)
        message = seen.updates[0].message
        assert message is not None and message.document is not None
        file = await bot.get_file(message.document.file_id)
        assert bytes(await file.download_as_bytearray()) == b"pdf"
    assert (message.caption, message.document.file_name) == ("the bill", "bill.pdf")


async def test_files_are_sent_by_bytes_and_by_id(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as bot:
        first = await bot.send_document(TEAM, b"pdf", filename="bill.pdf", caption="see")
        assert first.document is not None
        await bot.send_document(TEAM, first.document.file_id)
        await bot.send_voice(TEAM, b"ogg")
        with pytest.raises(BadRequest, match=r"(?i)wrong file identifier"):
            await bot.send_photo(TEAM, "unknown")
        with pytest.raises(BadRequest, match=r"(?i)caption is too long"):
            await bot.send_photo(TEAM, b"png", caption="x" * 1025)
    assert [next(iter(post.extra)) for post in telegram.posts(TEAM)] == ["document", "document", "voice"]


async def test_an_album_is_several_messages_of_one_group(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as bot:
        sent = await bot.send_media_group(TEAM, [InputMediaPhoto(b"one"), InputMediaPhoto(b"two")])
        with pytest.raises(BadRequest):
            await bot.send_media_group(TEAM, [InputMediaPhoto(b"one")])
    assert len({message.media_group_id for message in sent}) == 1
    assert len({message.message_id for message in sent}) == 2


async def test_a_copy_keeps_what_it_is_and_may_change_its_caption(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as bot:
        photo = await telegram.shows(ANN, "photo", b"png", caption="mine")
        await bot.copy_message(TEAM, ANN, photo)
        await bot.copy_message(TEAM, ANN, photo, caption="")
        with pytest.raises(BadRequest, match=r"(?i)message to copy not found"):
            await bot.copy_message(TEAM, ANN, 99)
        telegram.protects(ANN)
        with pytest.raises(BadRequest, match=r"(?i)can't be copied"):
            await bot.copy_message(TEAM, ANN, photo)
    assert [post.extra.get("caption") for post in telegram.posts(TEAM)] == ["mine", None]


async def test_a_group_that_moves_answers_with_its_new_id_and_says_so_on_both_sides(
    telegram: TelegramServer,
) -> None:
    telegram.add_group(-5, "small", kind="group")
    seen = Seen()
    async with polling(telegram, seen) as bot:
        await telegram.migrates(-5, -1005, LEAD)
        await telegram.until(lambda: len(seen.updates) == 2)
        with pytest.raises(ChatMigrated) as caught:
            await bot.send_message(-5, "hello")
        await bot.send_message(caught.value.new_chat_id, "hello")
    said = [update.message for update in seen.updates if isinstance(update.message, Message)]
    assert [(one.chat.id, one.migrate_to_chat_id, one.migrate_from_chat_id) for one in said] == [
        (-5, -1005, None),
        (-1005, None, -5),
    ]


async def test_nobody_writes_in_a_closed_topic(telegram: TelegramServer) -> None:
    telegram.add_group(-1006, "topics", topics=(7,))
    telegram.closes(-1006, 7)
    async with bare_bot(telegram) as bot:
        with pytest.raises(BadRequest, match=r"(?i)topic_closed"):
            await bot.send_message(-1006, "hello", message_thread_id=7)
        await bot.send_message(-1006, "hello")


async def test_what_the_bot_is_in_a_group_changes_and_is_told(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen):
        for status in ("member", "administrator", "kicked"):
            await telegram.makes_bot(TEAM, status, by=LEAD)
        await telegram.until(lambda: len(seen.updates) == 3)
    changed = [update.my_chat_member.new_chat_member.status for update in seen.updates if update.my_chat_member]
    assert changed == ["member", "administrator", "kicked"]


async def test_an_anonymous_administrator_writes_in_the_groups_name(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen):
        await telegram.writes_anonymously(TEAM, "whoever I am")
        await telegram.until(lambda: seen.updates)
    message = seen.updates[0].message
    assert message is not None and message.sender_chat is not None and message.from_user is not None
    assert (message.sender_chat.id, message.from_user.id) == (TEAM, ANONYMOUS)


async def test_a_group_may_allow_some_reactions_only(telegram: TelegramServer) -> None:
    telegram.allows(TEAM, ReactionEmoji.THUMBS_UP)
    async with bare_bot(telegram) as bot:
        chat = await bot.get_chat(TEAM)
    assert [one.to_dict()["emoji"] for one in chat.available_reactions or ()] == ["👍"]
