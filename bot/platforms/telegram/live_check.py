"""The live part of the check: a test message in every team's room, and whether a reaction on it arrives."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from telegram import Update
from telegram.ext import ExtBot

from bot.domain.errors import Refused, Unreachable
from bot.platforms import LIVE_SECONDS, Finding, PlatformContext
from bot.platforms.telegram import NAME, Config, Mode
from bot.platforms.telegram.bot_api import BotApiClient, Overtaken, Payload, asked
from bot.platforms.telegram.events import HEARD
from bot.platforms.telegram.locales import sentence
from bot.platforms.telegram.rooms import Rooms

_BETWEEN_SECONDS = 1.0

MessageId = tuple[str, int]
"""The id of a chat and of a message in it."""


async def live_check(config: Config, context: PlatformContext) -> AsyncIterator[Finding]:
    """Two findings for each room. Other updates stay with Telegram for Switchboard to receive."""
    client = BotApiClient(config)
    try:
        await asked(client.bot.initialize())
        async for finding in _tried(client, config, context):
            yield finding
    finally:
        await client.bot.shutdown()


async def _tried(client: BotApiClient, config: Config, context: PlatformContext) -> AsyncIterator[Finding]:
    if config.mode is Mode.WEBHOOK:
        # Updates cannot be polled while a webhook is set; without either they wait with Telegram.
        await asked(client.bot.delete_webhook(drop_pending_updates=False))
    posted: dict[MessageId, str] = {}
    try:
        await _ask_for_reactions(client)
        for where in Rooms(context.task).written:
            what = f"a test message is in {where}; put {_emoji(context)} on it now"
            try:
                posted[await _post(client.bot, where, context)] = where
            except (Refused, Unreachable) as error:
                yield Finding(what, False, str(error))
            else:
                yield Finding(what, True)
        async for finding in _watched(client, posted):
            yield finding
    finally:
        await _tidy(client.bot, config, posted)


async def _ask_for_reactions(client: BotApiClient) -> None:
    """Subscribe to reactions before there is one: Telegram does not send updates that nobody asked for."""
    try:
        await client.updates(None, 0)
    except Unreachable:
        # Whatever it is, `_watched` meets it, too, and reports it for every room.
        return


def _emoji(context: PlatformContext) -> str:
    """An emoji that every room allows if it allows those of our cards."""
    return context.vocabulary.take.get(NAME, "👀")


async def _post(bot: ExtBot[None], where: str, context: PlatformContext) -> MessageId:
    chat, _, topic = where.partition("/")
    words = sentence(context.languages[0], "telegram_check", emoji=_emoji(context))
    sent = await asked(bot.send_message(chat, words, message_thread_id=int(topic) if topic else None))
    return str(sent.chat.id), sent.message_id


async def _watched(client: BotApiClient, posted: dict[MessageId, str]) -> AsyncIterator[Finding]:
    waiting, until = dict(posted), asyncio.get_running_loop().time() + LIVE_SECONDS
    problem = "no reaction arrived; is the bot an administrator there, and are reactions allowed?"
    while waiting and asyncio.get_running_loop().time() < until:
        try:
            # Without an offset nothing is confirmed: all updates come again.
            updates = await client.updates(None, 1)
        except Overtaken as error:
            problem = f"{error}; stop it while this check runs"
            break
        except Unreachable as error:
            problem = str(error)
            updates = []
        for message in _reacted(payload for _, payload in updates):
            if message in waiting:
                yield Finding(f"a reaction arrives from {waiting.pop(message)}", True)
        await asyncio.sleep(_BETWEEN_SECONDS)
    for where in waiting.values():
        yield Finding(f"a reaction arrives from {where}", False, problem)


def _reacted(payloads: Iterable[Payload]) -> Iterable[MessageId]:
    for payload in payloads:
        if Update.MESSAGE_REACTION in payload:
            changed = Update.de_json(payload).message_reaction
            if changed is not None and changed.new_reaction:
                yield str(changed.chat.id), changed.message_id


async def _tidy(bot: ExtBot[None], config: Config, posted: Iterable[MessageId]) -> None:
    gone = (asked(bot.delete_message(chat, message)) for chat, message in posted)
    await asyncio.gather(*gone, return_exceptions=True)  # undeletable ones say that they are a test
    if config.mode is Mode.WEBHOOK:
        await asked(bot.set_webhook(config.webhook_url, secret_token=config.webhook_secret, allowed_updates=HEARD))
