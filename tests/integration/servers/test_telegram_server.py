"""The Telegram server against the real python-telegram-bot: updates by polling and by webhook."""

import asyncio

import pytest
from telegram.error import BadRequest, Conflict, Forbidden

from tests.integration.servers.telegram_bot import (
    ANN,
    LEAD,
    TEAM,
    Seen,
    bare_bot,
    free_port,
    one_button,
    polling,
    small_bot,
)
from tests.servers.telegram import TelegramServer


async def test_a_private_message_arrives_and_is_answered(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen) as bot:
        message = await telegram.writes(ANN, "I was charged twice")
        await telegram.until(lambda: seen.updates)
        await bot.send_message(ANN, "Billing has it", reply_to_message_id=message)
    assert seen.texts() == ["I was charged twice"]
    assert [(post.text, post.reply_to) for post in telegram.posts(ANN)] == [("Billing has it", message)]
    assert telegram.feed.pending == {}, "stopping confirms what was received"


async def test_a_reaction_in_a_group_arrives_as_old_and_new(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen) as bot:
        card = await bot.send_message(TEAM, "card")
        await telegram.reacts(LEAD, TEAM, card.message_id, new=["👎"])
        await telegram.reacts(LEAD, TEAM, card.message_id, new=["👀"])
        await telegram.reacts(LEAD, TEAM, card.message_id, new=[])
        await telegram.reacts(None, TEAM, card.message_id, new=["👎"])
        await telegram.until(lambda: len(seen.reactions()) == 4)
    reactions = [update.message_reaction for update in seen.reactions() if update.message_reaction]
    changes = [
        (
            [one.to_dict()["emoji"] for one in r.old_reaction],
            [one.to_dict()["emoji"] for one in r.new_reaction],
        )
        for r in reactions
    ]
    assert changes == [([], ["👎"]), (["👎"], ["👀"]), (["👀"], []), ([], ["👎"])]
    assert [r.user.id if r.user else None for r in reactions] == [LEAD, LEAD, LEAD, None]
    assert reactions[3].actor_chat is not None and reactions[3].actor_chat.id == TEAM


async def test_no_reaction_arrives_unless_asked_for(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen, allowed=None) as bot:
        card = await bot.send_message(TEAM, "card")
        await telegram.reacts(LEAD, TEAM, card.message_id, new=["👎"])
        await telegram.writes(ANN, "after it")
        await telegram.until(lambda: seen.updates)
    assert seen.texts() == ["after it"]
    assert seen.reactions() == []


async def test_no_reaction_arrives_where_the_bot_is_no_administrator(telegram: TelegramServer) -> None:
    telegram.add_group(TEAM, "billing", bot="member")
    seen = Seen()
    async with polling(telegram, seen) as bot:
        card = await bot.send_message(TEAM, "card")
        await telegram.reacts(LEAD, TEAM, card.message_id, new=["👎"])
        await telegram.writes(ANN, "after it")
        await telegram.until(lambda: seen.updates)
    assert seen.reactions() == []


async def test_the_list_of_allowed_updates_is_remembered_between_polls(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as bot:
        await bot.get_updates(timeout=0, allowed_updates=["message_reaction"])
        await telegram.writes(ANN, "not asked for")
        assert await bot.get_updates(timeout=0) == ()
        await bot.get_updates(timeout=0, allowed_updates=[])
        await telegram.writes(ANN, "asked for again")
        [update] = await bot.get_updates(timeout=0)
        assert update.message and update.message.text == "asked for again"


async def test_updates_come_again_until_the_offset_confirms_them(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as bot:
        await telegram.writes(ANN, "one")
        await telegram.writes(ANN, "two")
        first = await bot.get_updates(timeout=0)
        again = await bot.get_updates(timeout=0)
        rest = await bot.get_updates(offset=first[0].update_id + 1, timeout=0)
    assert [u.update_id for u in again] == [u.update_id for u in first]
    assert [u.update_id for u in rest] == [first[1].update_id]


async def test_a_second_poller_ends_the_first_with_a_conflict(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as one, bare_bot(telegram) as other:
        waiting = asyncio.create_task(one.get_updates(timeout=5))
        await telegram.until(lambda: telegram.calls_to("getUpdates"))
        await other.get_updates(timeout=0)
        with pytest.raises(Conflict, match="terminated by other getUpdates"):
            await waiting


async def test_polling_beside_a_webhook_is_a_conflict_that_the_error_callback_hears(
    telegram: TelegramServer,
) -> None:
    seen = Seen()
    async with polling(telegram, seen) as bot:
        await bot.set_webhook("http://127.0.0.1:9/hook")
        await telegram.until(lambda: seen.errors)
        await bot.delete_webhook()
    assert isinstance(seen.errors[0], Conflict)


async def test_in_groups_privacy_mode_lets_only_addressed_messages_through(telegram: TelegramServer) -> None:
    telegram.add_group(-100, "lounge", bot="member")
    seen = Seen()
    async with polling(telegram, seen) as bot:
        mine = await bot.send_message(-100, "I am here")
        await telegram.writes(ANN, "chatter", -100)
        await telegram.writes(ANN, "/help", -100)
        await telegram.writes(ANN, "dear @switchboard_bot", -100)
        await telegram.writes(ANN, "you?", -100, reply_to=mine.message_id)
        await telegram.writes(ANN, "an administrator hears all", TEAM)
        await telegram.until(lambda: len(seen.updates) == 4)
    assert seen.texts() == ["/help", "dear @switchboard_bot", "you?", "an administrator hears all"]


async def test_edits_and_blocks_arrive_as_their_own_kinds(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen) as bot:
        message = await telegram.writes(ANN, "hello")
        await telegram.edits(ANN, ANN, message, "hello again")
        await telegram.blocks(ANN)
        await telegram.until(lambda: len(seen.updates) == 3)
        with pytest.raises(Forbidden, match="blocked by the user"):
            await bot.send_message(ANN, "are you there?")
    edited, blocked = seen.updates[1].edited_message, seen.updates[2].my_chat_member
    assert edited is not None and edited.text == "hello again"
    assert blocked is not None and blocked.new_chat_member.status == "kicked"


async def test_a_pressed_button_can_be_answered_once(telegram: TelegramServer) -> None:
    seen = Seen()
    async with polling(telegram, seen) as bot:
        await telegram.writes(ANN, "hello")
        question = await bot.send_message(ANN, "Which?", reply_markup=one_button("c7:billing"))
        query = await telegram.presses(ANN, ANN, question.message_id, "c7:billing")
        await telegram.until(lambda: any(update.callback_query for update in seen.updates))
        pressed = seen.updates[-1].callback_query
        assert pressed is not None and pressed.data == "c7:billing"
        await pressed.answer("Thank you")
        with pytest.raises(BadRequest, match=r"(?i)query is too old"):
            await pressed.answer("Thank you")
    answer = telegram.answers(query)
    assert answer is not None and answer["text"] == "Thank you"


async def test_a_webhook_is_handed_updates_with_its_secret_and_refuses_a_wrong_one(
    telegram: TelegramServer,
) -> None:
    seen, port = Seen(), free_port()
    app = small_bot(telegram, seen)
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_webhook(
            listen="127.0.0.1",
            port=port,
            url_path="hook",
            secret_token="right",
            webhook_url=f"http://127.0.0.1:{port}/hook",
        )
        hook = telegram.feed.hook
        assert hook is not None and hook.secret == "right"
        await telegram.writes(ANN, "with the secret")
        await telegram.until(lambda: seen.updates)
        hook.secret = "wrong"
        await telegram.writes(ANN, "forged")
        await telegram.until(lambda: 403 in hook.statuses)
        assert seen.texts() == ["with the secret"]
        hook.secret = "right"
        await telegram.until(lambda: len(seen.updates) == 2)
        await app.updater.stop()
        await app.stop()
    assert hook.statuses[0] == 200


async def test_a_webhook_that_cannot_be_reached_is_tried_again_and_said_so(telegram: TelegramServer) -> None:
    async with bare_bot(telegram) as bot:
        await bot.set_webhook(f"http://127.0.0.1:{free_port()}/hook")
        await telegram.writes(ANN, "hello")
        await telegram.until(lambda: telegram.feed.hook and telegram.feed.hook.last_error)
        info = await bot.get_webhook_info()
        assert info.pending_update_count == 1
        assert info.last_error_message is not None and "Connection failed" in info.last_error_message
        with pytest.raises(BadRequest, match="unallowed characters"):
            await bot.set_webhook("http://127.0.0.1:9/hook", secret_token="not good!")
