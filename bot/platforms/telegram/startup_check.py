"""At the start: whether the bot is an administrator of every team's group."""

import asyncio
import logging

from telegram.constants import ChatMemberStatus
from telegram.ext import ExtBot

from bot.domain.errors import ChatMoved, Refused, Unreachable
from bot.platforms.telegram import NAME
from bot.platforms.telegram.bot_api import asked
from bot.platforms.telegram.rooms import Rooms

log = logging.getLogger(__name__)


async def startup_check(bot: ExtBot[None], rooms: Rooms) -> None:
    """Follow groups to their new ids, and log an error where the bot is no administrator.

    This does not prevent the start: the other teams work, and people write whether or not a card can be posted.
    """
    await asyncio.gather(*(_stand(bot, rooms, chat) for chat in {where.partition("/")[0] for where in rooms.written}))


async def _stand(bot: ExtBot[None], rooms: Rooms, chat: str) -> None:
    about = {"platform": NAME, "chat": chat, "setting": rooms.settings(chat)}
    try:
        me = await asked(bot.get_chat_member(chat, bot.id))
    except ChatMoved as moved:
        log.warning("team's group has a new id; write it in the settings", extra={**about, "after": moved.chat})
        rooms.move(chat, moved.chat)
    except Refused as error:
        log.error("team's group cannot be accessed", extra={**about, "problem": str(error)})
    except Unreachable as error:
        log.warning("team's group not checked", extra={**about, "problem": str(error)})
    else:
        if me.status not in (ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER):
            log.error("not an administrator of a team's group: its reactions do not arrive", extra=about)
