"""The commands of Telegram's menu, in every offered language."""

import logging

from telegram import BotCommand
from telegram.ext import ExtBot

from bot.domain.errors import Refused, Unreachable
from bot.platforms.telegram import NAME
from bot.platforms.telegram.bot_api import asked
from bot.platforms.telegram.locales import sentence

log = logging.getLogger(__name__)

COMMANDS = {
    "new": "telegram_do_new",
    "status": "telegram_do_status",
    "language": "telegram_do_language",
    "privacy": "telegram_do_privacy",
    "forget": "telegram_do_forget",
    "help": "telegram_do_help",
}
"""Every command, with the key of its description."""


async def set_up(bot: ExtBot[None], languages: tuple[str, ...]) -> None:
    """Set the menu in Telegram; the first language is for everybody whose own is not offered.

    A failure is logged and does not prevent the start.
    """
    tags = {language: language.partition("-")[0] for language in languages}
    try:
        await asked(bot.set_my_commands(_menu(languages[0])))
        for language, tag in tags.items():
            await asked(bot.set_my_commands(_menu(language), language_code=tag))
    except (Unreachable, Refused) as error:
        log.warning("menu of commands not set", extra={"platform": NAME, "problem": str(error)})


def described(language: str) -> str:
    """The commands with their descriptions, a line each."""
    return "\n".join(f"/{one.command} – {one.description}" for one in _menu(language))


def _menu(language: str) -> list[BotCommand]:
    return [BotCommand(name, sentence(language, key)) for name, key in COMMANDS.items()]
