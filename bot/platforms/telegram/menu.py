"""The commands a person can give, as Telegram's menu shows them, in every language that is offered."""

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
"""Every command, with the sentence that says what it does."""


async def set_up(bot: ExtBot[None], languages: tuple[str, ...]) -> None:
    """Hand the menu to Telegram; the first language is for everybody whose own is not offered.

    A menu that cannot be set up is said in the log and is no reason not to start.
    """
    tags = {language: language.partition("-")[0] for language in languages}
    try:
        await asked(bot.set_my_commands(_menu(languages[0])))
        for language, tag in tags.items():
            await asked(bot.set_my_commands(_menu(language), language_code=tag))
    except (Unreachable, Refused) as error:
        log.warning("menu of commands not set", extra={"platform": NAME, "problem": str(error)})


def described(language: str) -> str:
    """The commands with what they do, a line each."""
    return "\n".join(f"/{one.command} – {one.description}" for one in _menu(language))


def _menu(language: str) -> list[BotCommand]:
    return [BotCommand(name, sentence(language, key)) for name, key in COMMANDS.items()]
