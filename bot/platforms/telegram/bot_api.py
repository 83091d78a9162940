"""Calls the Bot API, translates its errors into ours, and gets updates unparsed."""

import json
import logging
import os
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast
from urllib.parse import urlencode

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.domain.errors import ChatMoved, Refused, Unreachable
from bot.platforms.telegram import NAME, Config
from bot.platforms.telegram.events import HEARD

Payload = dict[str, object]
T = TypeVar("T")

# The library's own switch for time periods as timedelta. Without it, each request to wait is a deprecation warning.
os.environ["PTB_TIMEDELTA"] = "true"
# It would log a broken answer, and with it what people wrote; we report ourselves that the answer was broken.
logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL + 1)

_GRACE_SECONDS = 10
_STRANGE = f"platforms.{NAME}: an answer that is not Telegram's"
_OUT_OF_REACH = {
    "blocked by the user": "they blocked the bot; only they can unblock it",
    "user is deactivated": "their account is gone",
    "can't initiate conversation": "they must write to the bot first",
}
"""Why a person cannot be reached, in the words that their team reads."""
_REMEDIES = {
    "kicked": "add the bot to the group again, as an administrator",
    "not a member": "add the bot to the group, as an administrator",
    "chat not found": "mend the id in deliver_to, and add the bot to the group as an administrator",
    "have no rights": "allow the bot to send messages in this group",
    "not enough rights": "allow the bot to send messages in this group",
    "thread not found": "mend the topic in deliver_to: it was deleted",
    "topic_closed": "open the topic again, or let the bot manage topics",
    "file is too big": "Telegram lets bots download 20 MB at most",
    "file_id": "the file is gone",
    "https url must be provided": "platforms.telegram.webhook_url must begin with https://",
}


class BadToken(Refused):
    """Telegram does not know the bot. The same call may succeed with another token."""


class Overtaken(Unreachable):
    """Another process, or a webhook set meanwhile, takes this bot's updates."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person's status in a chat."""

    status: str
    is_member: bool
    """For a restricted person: whether they are in the chat at all."""
    is_bot: bool


class BotApiClient:
    """The bot's calls, and its updates one by one."""

    def __init__(self, config: Config) -> None:
        # A separate client for polls, as in the library: a poll that hangs must not hold up sending.
        self._polls = HTTPXRequest(connection_pool_size=2)
        self.bot: ExtBot[None] = ExtBot(
            config.bot_token,
            base_url=config.api_base_url,
            base_file_url=config.file_base_url,
            get_updates_request=self._polls,
        )

    async def updates(self, offset: int | None, patience: int) -> list[tuple[int, Payload]]:
        """(update id, update) from the offset on (None: from the oldest), waiting at most `patience` seconds for one.

        Asking with an offset makes Telegram drop all updates before it. The library's own get_updates parses all or
        nothing, so that one update it cannot parse would hold up those behind it for ever. Raises Refused, Unreachable,
        Overtaken.
        """
        wanted: dict[str, object] = {"timeout": patience, "allowed_updates": json.dumps(HEARD)}
        if offset is not None:
            wanted["offset"] = offset
        address = f"{self.bot.base_url}/getUpdates?{urlencode(wanted)}"
        answer = await asked(self._polls.post(address, read_timeout=patience + _GRACE_SECONDS))
        if not isinstance(answer, list):
            raise Unreachable(_STRANGE)
        return [_numbered(one) for one in answer]

    async def member(self, chat: str, user: str) -> Member:
        """A person's status in a chat. Raises Refused, Unreachable, ChatMoved.

        The library's own getChatMember fails when one of the member's many rights is missing from the answer.
        """
        query = urlencode({"chat_id": chat, "user_id": user})
        answer = await asked(self.bot.request.post(f"{self.bot.base_url}/getChatMember?{query}"))
        who = answer.get("user") if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or not isinstance(who, dict):
            raise Refused(_STRANGE)
        return Member(str(answer.get("status", "")), answer.get("is_member") is True, who.get("is_bot") is True)

    async def reactions(self, chat: str) -> list[str] | None:
        """The emoji allowed as reactions in a chat; None for all. Raises Refused, Unreachable.

        The library does not distinguish all from none.
        """
        answer = await asked(self._polls.post(f"{self.bot.base_url}/getChat?{urlencode({'chat_id': chat})}"))
        allowed = answer.get("available_reactions") if isinstance(answer, dict) else None
        return None if allowed is None else [str(one.get("emoji", "")) for one in allowed]


async def asked(call: Awaitable[T]) -> T:
    """The answer of a Bot API call. Raises Refused, Unreachable, ChatMoved, Overtaken."""
    try:
        return await call
    except TelegramError as error:
        # Without its cause, whose text may hold the token.
        raise _problem(error) from None
    except (KeyError, TypeError) as error:
        # The library relies on the shape of answers, which something between Telegram and us may have changed.
        raise Unreachable(_STRANGE) from error


def _problem(error: TelegramError) -> Refused | Unreachable:
    where = f"platforms.{NAME}"
    match error:
        case RetryAfter():
            return Unreachable(f"{where}: Telegram asks to wait", _period(error.retry_after))
        case Conflict():
            return Overtaken(f"{where}: another process, or a webhook, takes this bot's updates")
        case InvalidToken():
            return BadToken(
                f"{where}: Telegram does not know the bot of TELEGRAM_BOT_TOKEN; @BotFather shows its token"
            )
        case ChatMigrated():
            new = str(error.new_chat_id)
            return ChatMoved(f"{where}: the group has a new id; write {new} for it in deliver_to", new)
        case Forbidden() | BadRequest():
            return Refused(_reason(error))
        case _:
            return Unreachable(f"{where}: {_unreached(error)}")


def _unreached(error: TelegramError) -> str:
    """Why Telegram gave no answer. The library's own text is not used: it holds the address, and with it the token."""
    if isinstance(error, TimedOut):
        return "Telegram cannot be reached: it did not answer in time"
    match error.__cause__:
        case httpx.ConnectError():
            return "Telegram cannot be reached: it takes no connection, or its name is not known here"
        case httpx.TransportError():
            return "Telegram cannot be reached: the connection broke off"
        case _:
            return "an answer that is not Telegram's"


def _reason(error: Forbidden | BadRequest) -> str:
    said = error.message.lower()
    if found := [why for sign, why in _OUT_OF_REACH.items() if sign in said]:
        return found[0]
    # After a colon, Telegram may quote what it was given.
    reason = error.message.removeprefix("Forbidden: ").partition(":")[0]
    remedies = [remedy for sign, remedy in _REMEDIES.items() if sign in said]
    return f"Telegram: {'; '.join([reason, *remedies[:1]])}"


def _period(value: int | timedelta) -> timedelta:
    return value if isinstance(value, timedelta) else timedelta(seconds=value)


def _numbered(update: object) -> tuple[int, Payload]:
    number = update.get("update_id") if isinstance(update, dict) else None
    if not isinstance(number, int):
        raise Unreachable(_STRANGE)
    return number, cast(Payload, update)
