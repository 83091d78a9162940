"""One Telegram bot: long polling or a webhook in, posts and edits out."""

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.domain.errors import Unreachable
from bot.domain.messages import Media, MessageRef, Person, Place, Press
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import OutboxItem
from bot.domain.tasks import Label
from bot.locales import choose
from bot.platforms import PlatformContext, Routed
from bot.platforms.telegram import HOOK, NAME, Config, Mode, menu
from bot.platforms.telegram.bot_api import BotApiClient, Overtaken, Payload, asked
from bot.platforms.telegram.commands import Commands
from bot.platforms.telegram.events import HEARD
from bot.platforms.telegram.facts import Command, Unheard
from bot.platforms.telegram.inbound import Inbound, Polling, Replies
from bot.platforms.telegram.locales import sentence
from bot.platforms.telegram.markup import Said, plain
from bot.platforms.telegram.outbound import Sender
from bot.platforms.telegram.permissions import Permissions
from bot.platforms.telegram.rooms import Rooms
from bot.platforms.telegram.startup_check import startup_check
from bot.platforms.wording import RenderContext

log = logging.getLogger(__name__)

_POLL_SECONDS = 20
_OVERTAKEN_SECONDS = 30.0
"""How long to leave the updates to another consumer: polling more often would only interrupt both."""
_STANDBY_SECONDS = 1.0
"""A process that has waited so long for its turn to poll stands by: another process of ours is polling."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_MAX_BODY = 1_000_000
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name, no secret


@asynccontextmanager
async def opened(config: Config, context: PlatformContext) -> AsyncIterator["Telegram"]:
    """Telegram, for as long as the context lasts. Raises Refused when Telegram rejects the bot's token."""
    client = BotApiClient(config)
    telegram = Telegram(config, context, client)
    try:
        try:
            await telegram.introduce()
        except Unreachable as error:
            log.warning(
                "platform not reached yet, starting all the same", extra={"platform": NAME, "problem": str(error)}
            )
        yield telegram
    finally:
        await telegram.close()
        await client.bot.shutdown()


class Telegram:
    """One Telegram bot."""

    name = NAME
    whispers = False

    def __init__(self, config: Config, context: PlatformContext, client: BotApiClient) -> None:
        self._config = config
        self._context = context
        self._client = client
        self._bot = client.bot
        self._rooms = Rooms(context.task)
        rendering = RenderContext(context.languages, context.base, context.task, context.vocabulary)
        self._sender = Sender(client.bot, rendering, self._rooms, context.ledger)
        self._permissions = Permissions(client, config, self._rooms)
        self._commands = Commands(context.chat_commands, rendering)
        self._inbound: Inbound | None = None
        self._listening = self._standing_by = False

    async def introduce(self) -> None:
        """Ask Telegram who we are, once. Raises Refused for a bad token, Unreachable."""
        await asked(self._bot.initialize())

    async def close(self) -> None:
        await self._sender.close()

    # --- in ---

    async def listen(self, inbox: Inbox) -> None:
        """Receive updates until cancelled. Raises Refused for a bad token, Unreachable when it cannot begin."""
        await self.introduce()
        await self._rooms.learn(self._context.ledger)
        await menu.set_up(self._bot, self._context.languages)
        await startup_check(self._bot, self._rooms)
        prefix = self._context.vocabulary.send_prefix
        replies = Replies(self._obey, self._explain, self._refusal)
        wanted = self._context.vocabulary.request.get(NAME)
        inbound = Inbound(self._bot, self._rooms, prefix, self._context.ledger, inbox, replies, wanted)
        try:
            if self._config.mode is Mode.POLLING:
                await self._listen_by_polling(inbound)
            else:
                await self._listen_by_webhook(inbound)
        finally:
            self._inbound, self._listening, self._standing_by = None, False, False

    async def _obey(self, command: Command) -> None:
        """Carry out a command and answer it. Raises Unreachable when it failed: the update must come again."""
        said = await self._commands.answer(command)
        await self._sender.answer(command.place, command.message, said, rewrite=command.pressed)

    async def _explain(self, unheard: Unheard) -> None:
        language = choose(unheard.language, self._context.languages)
        said = Said(plain(sentence(language, unheard.key)))
        await self._sender.answer(unheard.place, unheard.message, said, rewrite=False)

    async def _refusal(self, press: Press) -> str:
        """Why the button does nothing for this person; empty when it may do something. Raises Unreachable."""
        button = await self._context.ledger.button(press.ref)
        if button is None:
            return ""
        language = choose(press.actor.language, self._context.languages)
        if button.settled:
            return sentence(language, "telegram_press_over")
        if button.whose is not None:
            theirs = (button.whose.platform, button.whose.id) == (press.actor.platform, press.actor.id)
            return "" if theirs else sentence(language, "telegram_press_not_yours", who=button.whose.name)
        if button.for_leads:
            known = button.label if button.label in self._context.task.names else self._context.task.fallback
            team = self._context.task.label(known)
            if button.of_all_teams:
                team = replace(team, leads={})
            may = await self.may_correct(press.actor, team, button.room)
            return (
                "" if may else sentence(language, "notice_no_model_lead" if button.of_all_teams else "notice_no_lead")
            )
        may = await self.may_handle(press.actor, button.room)
        return "" if may else sentence(language, "telegram_press_team_only")

    def healthy(self) -> bool:
        """Whether updates are being received: the last poll was answered, or the webhook is set.

        Standing by while another process of ours polls counts, too.
        """
        return self._listening or self._standing_by

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The route for Telegram's updates; none when polling, which has no secret to verify Telegram by."""
        return [Route(HOOK, self._receive, methods=["POST"])] if self._config.mode is Mode.WEBHOOK else []

    async def _listen_by_polling(self, inbound: Inbound) -> None:
        """Poll in turns: Telegram serves one poller only, so one of our processes polls and the others wait."""
        while True:
            async with self._turn():
                try:
                    await self._poll(inbound)
                except Overtaken as error:
                    about = {"problem": f"{error}; let only one of them run"}
                    log.error("not listening", extra={"platform": NAME, **about})
                finally:
                    self._listening = False
            await asyncio.sleep(_OVERTAKEN_SECONDS)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Hold the turn to poll. A process that waits for it counts as healthy: it would take over at once."""
        waiting = asyncio.get_running_loop().call_later(_STANDBY_SECONDS, self._stand_by)
        try:
            async with self._context.ledger.alone(f"polling {NAME} {self._bot.id}"):
                waiting.cancel()
                self._standing_by = False
                yield
        finally:
            waiting.cancel()

    def _stand_by(self) -> None:
        self._standing_by = True
        log.info("standing by", extra={"platform": NAME})

    async def _poll(self, inbound: Inbound) -> None:
        """Poll until cancelled. Raises Overtaken when a process that is not ours takes the updates."""
        await asked(self._bot.delete_webhook(drop_pending_updates=False))
        log.info("listening", extra={"platform": NAME})
        polling = Polling(self._client, inbound)
        wait, patience = _FIRST_WAIT, 0
        while True:
            try:
                await polling.step(patience)
            except Overtaken:
                raise
            except Unreachable as error:
                self._listening = False
                pause = error.retry_after.total_seconds() if error.retry_after else wait
                log.warning(
                    "updates not received or not stored, trying again",
                    extra={"platform": NAME, "problem": str(error), "seconds": pause},
                )
                await asyncio.sleep(pause)
                wait, patience = min(wait * 2, _LONGEST_WAIT), 0
            else:
                self._listening = True
                wait, patience = _FIRST_WAIT, _POLL_SECONDS

    async def _listen_by_webhook(self, inbound: Inbound) -> None:
        self._inbound = inbound
        await asked(
            self._bot.set_webhook(
                self._config.webhook_url,
                secret_token=self._config.webhook_secret,
                allowed_updates=HEARD,
                drop_pending_updates=False,
            )
        )
        self._listening = True
        log.info("listening", extra={"platform": NAME})
        # On stopping, the webhook stays set: Telegram keeps the updates meanwhile.
        await asyncio.Event().wait()

    async def _receive(self, request: Request) -> Response:
        """Receive one update; answers 200 only once it is stored, since Telegram otherwise sends it again."""
        given = request.headers.get(_SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._config.webhook_secret.encode()):
            return Response(status_code=403)
        inbound = self._inbound
        if inbound is None:
            return Response(status_code=503)
        payload = await _payload(request)
        if payload is None:
            return Response(status_code=400)
        try:
            await inbound.take(payload)
        except Unreachable as error:
            log.warning(
                "update not stored, so refused: it will come again",
                extra={"platform": NAME, "update": payload.get("update_id"), "problem": str(error)},
            )
            return Response(status_code=503)
        return Response(status_code=200)

    # --- out ---

    def delay(self, item: OutboxItem) -> timedelta:
        """How long the post must wait for its turn, by the limits of its chat and of the bot."""
        return self._sender.delay(item)

    async def say(self, item: OutboxItem) -> MessageRef:
        """Send the post, or rewrite the one it edits; its receipt. Raises Unreachable, ChatMoved, Refused."""
        return await self._sender.say(item)

    async def fetch(self, media: Media) -> bytes:
        """An attachment's bytes. Raises Unreachable, Refused (too large, gone, no file)."""
        return await self._sender.attachments.fetch(media)

    # --- who may ---

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        """Whether the person leads that team, in that room. Raises Unreachable where Telegram has to be asked."""
        return await self._permissions.may_correct(person, team, room)

    async def may_handle(self, person: Person, room: Place) -> bool:
        """Whether the person is a member of that room's group. Raises Unreachable."""
        return await self._permissions.may_handle(person, room)


async def _payload(request: Request) -> Payload | None:
    """The update in the request; None when it holds none or is far too long for one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            return None
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _conforms(telegram: Telegram) -> tuple[Platform, Routed]:
    return telegram, telegram
