"""A small bot built with the real python-telegram-bot."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationBuilder, ContextTypes, ExtBot, TypeHandler

from tests.servers.telegram import TelegramServer

ANN, LEAD, TEAM = 111, 222, -1001234567890
EVERYTHING = Update.ALL_TYPES


@dataclass(slots=True)
class Seen:
    """What a small bot received, and the errors of its polling."""

    updates: list[Update] = field(default_factory=list)
    errors: list[TelegramError] = field(default_factory=list)

    def texts(self) -> list[str | None]:
        return [update.message.text for update in self.updates if update.message]

    def reactions(self) -> list[Update]:
        return [update for update in self.updates if update.message_reaction]


def small_bot(server: TelegramServer, seen: Seen) -> "Application":  # type: ignore[type-arg]
    builder = ApplicationBuilder().token(server.token).base_url(server.api_url)
    app = builder.base_file_url(server.file_url).build()

    async def remember(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        seen.updates.append(update)

    app.add_handler(TypeHandler(Update, remember))
    return app


@asynccontextmanager
async def polling(
    server: TelegramServer, seen: Seen, allowed: Sequence[str] | None = EVERYTHING
) -> AsyncIterator[ExtBot[None]]:
    app = small_bot(server, seen)
    async with app:
        await app.start()
        assert app.updater is not None
        polls = len(server.calls_to("getUpdates"))
        await app.updater.start_polling(timeout=5, allowed_updates=allowed, error_callback=seen.errors.append)
        await server.until(lambda: len(server.calls_to("getUpdates")) > polls)
        try:
            yield app.bot
        finally:
            await app.updater.stop()
            await app.stop()


@asynccontextmanager
async def bare_bot(server: TelegramServer, token: str | None = None) -> AsyncIterator[ExtBot[None]]:
    bot: ExtBot[None] = ExtBot(token or server.token, base_url=server.api_url, base_file_url=server.file_url)
    async with bot:
        yield bot


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def one_button(data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("Billing", callback_data=data)]])
