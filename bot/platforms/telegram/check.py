"""`switchboard check telegram`: asks Telegram whether everything that the bot needs is in place."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from telegram import WebhookInfo
from telegram.constants import ChatAction, ChatMemberStatus
from telegram.ext import ExtBot

from bot.domain.errors import ChatMoved, Refused, Unreachable
from bot.platforms import Finding, PlatformContext
from bot.platforms.clock import clock
from bot.platforms.telegram import NAME, Config, Mode
from bot.platforms.telegram.bot_api import BotApiClient, asked
from bot.platforms.telegram.emoji import bare
from bot.platforms.telegram.events import HEARD
from bot.platforms.telegram.rooms import Rooms

_CALL_SECONDS = 10.0
_ADDRESS = f"platforms.{NAME}.api_base_url (or TELEGRAM_API_BASE_URL) if it is set"


async def check(config: Config, context: PlatformContext) -> AsyncIterator[Finding]:
    """One finding after another, the token first: without it nothing else can be checked."""
    client, rooms = BotApiClient(config), Rooms(context.task)
    try:
        yield (token := await _token(client.bot))
        if token.ok:
            if (agrees := await _clock(config)) is not None:
                yield agrees
            yield _privacy(client.bot)
            yield await _transport(client.bot, config)
            for where in rooms.written:
                async for finding in _room(client, where, rooms, context):
                    yield finding
            for where, settings in context.hearing_on(NAME).items():
                yield await _hearing(client.bot, where, settings)
    finally:
        await client.bot.shutdown()


async def _token(bot: ExtBot[None]) -> Finding:
    try:
        await asked(bot.initialize())
    except Unreachable as error:
        return Finding("Telegram answers", False, f"{error}; see the network here, and {_ADDRESS}")
    except Refused as error:
        return Finding("the bot's token", False, str(error))
    return Finding(f"the bot's token: it is @{bot.username}", True)


async def _clock(config: Config) -> Finding | None:
    """Compare our clock, by a request of our own without the token: the library does not give access to headers."""
    address = urlsplit(config.api_base_url)
    try:
        async with httpx.AsyncClient(timeout=_CALL_SECONDS) as client:
            answer = await client.head(f"{address.scheme}://{address.netloc}/")
    except httpx.HTTPError:
        return None  # the server of the Bot API need not answer this
    return clock("Telegram", answer.headers.get("date"), datetime.now(UTC))


def _privacy(bot: ExtBot[None]) -> Finding:
    """Report the privacy mode.

    Either is right: an administrator, as the bot must be in teams' groups, gets all messages.
    """
    if bot.bot.can_read_all_group_messages:
        return Finding("privacy mode is off: the bot hears everything in groups, and takes in what names it", True)
    return Finding("privacy mode is on: in other groups than the teams' the bot hears only what names it", True)


async def _transport(bot: ExtBot[None], config: Config) -> Finding:
    what = f"updates by {config.mode}"
    try:
        hook = await asked(bot.get_webhook_info())
    except (Refused, Unreachable) as error:
        return Finding(what, False, str(error))
    remedy = _hook_remedy(hook, config) if config.mode is Mode.WEBHOOK else _poll_remedy(hook)
    return Finding(what, not remedy, remedy)


def _poll_remedy(hook: WebhookInfo) -> str:
    if not hook.url:
        return ""
    return "a webhook takes this bot's updates; start Switchboard, which removes it, and stop whoever set it"


def _hook_remedy(hook: WebhookInfo, config: Config) -> str:
    if not hook.url:
        return "no webhook is set yet; start Switchboard, which sets it"
    if hook.url != config.webhook_url:
        return "the webhook leads to another address; start Switchboard, which mends it, and stop whoever set it"
    if not {*HEARD} <= {*(hook.allowed_updates or ())}:
        return "the webhook does not ask for reactions; start Switchboard, which mends it"
    if hook.last_error_message:
        return f"Telegram cannot deliver: {hook.last_error_message}; look after platforms.{NAME}.webhook_url"
    return ""


async def _room(client: BotApiClient, where: str, rooms: Rooms, context: PlatformContext) -> AsyncIterator[Finding]:
    chat, _, topic = where.partition("/")
    name, setting = f"the room of {', '.join(rooms.written[where])} ({where})", rooms.settings(chat)
    try:
        allowed = await client.reactions(chat)
        me = await asked(client.bot.get_chat_member(chat, client.bot.id))
    except ChatMoved as moved:
        yield Finding(name, False, f"the group has a new id; write {moved.chat} for it in {setting}")
        return
    except (Refused, Unreachable) as error:
        yield Finding(name, False, f"{error} ({setting})")
        return
    admin = me.status in (ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER)
    yield Finding(
        f"{name}: the bot is an administrator",
        admin,
        "" if admin else "make the bot an administrator of the group; without that no reaction reaches it",
    )
    yield _reactions(name, allowed, context)
    if topic:
        yield await _topic(client.bot, chat, int(topic), name, setting)


async def _hearing(bot: ExtBot[None], where: str, settings: str) -> Finding:
    """Check a room that is only informed of answers: where the bot may show that it is typing, it may write."""
    chat, _, topic = where.partition("/")
    name = f"the room {where} ({settings})"
    try:
        typing = bot.send_chat_action(chat, ChatAction.TYPING, message_thread_id=int(topic) if topic else None)
        await asked(typing)
    except (Refused, Unreachable) as error:
        return Finding(name, False, f"{error} ({settings})")
    return Finding(name, True)


def _reactions(name: str, allowed: list[str] | None, context: PlatformContext) -> Finding:
    what = f"{name}: our emoji are allowed as reactions"
    if allowed is None:
        return Finding(what, True)
    there = {bare(one) for one in allowed}
    words = context.vocabulary
    ours = [meaning.get(NAME) for meaning in (words.take, words.done, words.wrong, words.send, words.request)]
    ours += [label.emoji.get(NAME) for label in context.task.labels]
    lacking = [emoji for emoji in dict.fromkeys(ours) if emoji and emoji not in there]
    remedy = f"allow {' '.join(lacking)} in the group's settings under Reactions, or all of them" if lacking else ""
    return Finding(what, not lacking, remedy)


async def _topic(bot: ExtBot[None], chat: str, topic: int, name: str, setting: str) -> Finding:
    """Check the topic: Telegram does not look topics up by number, but one that accepts "typing" exists and is open."""
    what = f"{name}: its topic is open"
    try:
        await asked(bot.send_chat_action(chat, ChatAction.TYPING, message_thread_id=topic))
    except (Refused, Unreachable) as error:
        return Finding(what, False, f"{error} ({setting})")
    return Finding(what, True)
