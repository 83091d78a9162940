"""Behaviour of python-telegram-bot on which the bot relies."""

import asyncio
import logging

import pytest
from telegram import Update
from telegram.ext import ContextTypes, TypeHandler

from tests.integration.servers.telegram_bot import ANN, Seen, small_bot
from tests.servers.telegram import TelegramServer


async def test_an_update_that_cannot_be_parsed_blocks_polling_for_ever_and_logs_what_people_wrote(
    telegram: TelegramServer, caplog: pytest.LogCaptureFixture
) -> None:
    app = small_bot(telegram, seen := Seen())
    caplog.set_level(logging.CRITICAL, "telegram")
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=5)
        telegram.sends("message", {"message_id": 1, "text": "no chat, no date"})
        await telegram.writes(ANN, "behind the poison")
        await telegram.until(lambda: len(telegram.calls_to("getUpdates")) > 20)
        assert len(telegram.feed.pending) == 2, "the offset cannot move"
        assert seen.updates == []
        telegram.feed.pending.clear()
        await telegram.writes(ANN, "after it")
        await telegram.until(lambda: seen.updates)
        await app.updater.stop()
        await app.stop()
    assert len(caplog.records) > 10, "no back-off"
    assert "behind the poison" in caplog.text


async def test_the_offset_moves_on_before_an_update_is_handled(telegram: TelegramServer) -> None:
    app = small_bot(telegram, Seen())
    release = asyncio.Event()

    async def stuck(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        await release.wait()

    app.add_handler(TypeHandler(Update, stuck), group=-1)
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=5)
        await telegram.writes(ANN, "would be lost in a crash")
        await telegram.until(lambda: telegram.calls_to("getUpdates") and not telegram.feed.pending)
        assert not release.is_set(), "confirmed to Telegram while the handler has not finished"
        release.set()
        await app.updater.stop()
        await app.stop()


async def test_updates_are_handled_one_after_another_by_default(telegram: TelegramServer) -> None:
    app = small_bot(telegram, seen := Seen())
    running: list[int] = []
    together: list[int] = []
    release = asyncio.Event()

    async def slow(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        running.append(update.update_id)
        together.append(len(running))
        await release.wait()
        running.remove(update.update_id)

    app.add_handler(TypeHandler(Update, slow), group=-1)
    async with app:
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(timeout=5)
        for person in range(1, 5):
            await telegram.writes(person, "hello")
        await telegram.until(lambda: running and not telegram.feed.pending)
        release.set()
        await telegram.until(lambda: len(seen.updates) == 4)
        await app.updater.stop()
        await app.stop()
    assert together == [1, 1, 1, 1]
