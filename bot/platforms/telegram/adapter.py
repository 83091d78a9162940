"""Hearing and speaking: long polling or a webhook in, posts and edits out."""

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from telegram import LinkPreviewOptions, ReplyParameters, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import Unreachable
from bot.domain.messages import Message, MessageRef, Person, Press, Reaction
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import Owed
from bot.platforms import Routed, Surroundings
from bot.platforms.telegram import HOOK, NAME, Config, Mode
from bot.platforms.telegram.bot_api import Line, Overtaken, Payload, asked
from bot.platforms.telegram.events import HEARD, Ears, Fact, read
from bot.platforms.telegram.pace import Pace
from bot.platforms.telegram.render import Said, Voice, render

log = logging.getLogger(__name__)

_POLL_SECONDS = 20
_OVERTAKEN_SECONDS = 30.0
"""How long to leave the updates to whoever else takes them: asking more often would only cut off both."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_MAX_BODY = 1_000_000
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name, no secret


@asynccontextmanager
async def opened(config: Config, around: Surroundings) -> AsyncIterator["Telegram"]:
    """The platform while the context lasts. Raises Refused when Telegram does not take the bot's token."""
    line = Line(config)
    telegram = Telegram(config, around, line)
    try:
        try:
            await telegram.introduce()
        except Unreachable as error:
            log.warning("not reached yet", extra={"platform": NAME, "problem": str(error)})
        yield telegram
    finally:
        await line.bot.shutdown()


class Telegram:
    """One Telegram bot."""

    name = NAME

    def __init__(self, config: Config, around: Surroundings, line: Line) -> None:
        self._config = config
        self._voice = Voice(around.languages, around.base)
        labels = around.task.labels
        self._rooms = frozenset(label.deliver_to[NAME].chat for label in labels if NAME in label.deliver_to)
        self._line = line
        self._bot = line.bot
        self._pace = Pace()
        self._intake: _Intake | None = None
        self._hearing = False

    async def introduce(self) -> None:
        """Ask Telegram who we are, once. Raises Refused for a bad token, Unreachable."""
        await asked(self._bot.initialize())

    # --- in ---

    async def listen(self, inbox: Inbox) -> None:
        """Take in what happens until cancelled. Raises Refused for a bad token, Unreachable when it cannot begin."""
        await self.introduce()
        intake = _Intake(self._bot, Ears(self._bot.id, self._bot.username, self._rooms), inbox)
        try:
            if self._config.mode is Mode.POLLING:
                await self._hear_by_polling(intake)
            else:
                await self._hear_by_webhook(intake)
        finally:
            self._intake, self._hearing = None, False

    def healthy(self) -> bool:
        """Whether it hears people now: the last poll was answered, or the webhook is set."""
        return self._hearing

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Where Telegram posts its updates; none when polling, where there is no secret to tell Telegram by."""
        return [Route(HOOK, self._receive, methods=["POST"])] if self._config.mode is Mode.WEBHOOK else []

    async def _hear_by_polling(self, intake: "_Intake") -> None:
        await asked(self._bot.delete_webhook(drop_pending_updates=False))
        log.info("listening", extra={"platform": NAME})
        polling = _Polling(self._line, intake)
        wait, patience = _FIRST_WAIT, 0
        while True:
            try:
                await polling.step(patience)
            except Overtaken as error:
                self._hearing = False
                log.error("not listening", extra={"platform": NAME, "problem": f"{error}; let only one of them run"})
                await asyncio.sleep(_OVERTAKEN_SECONDS)
                patience = _POLL_SECONDS
            except Unreachable as error:
                self._hearing = False
                log.warning("not heard or not stored", extra={"platform": NAME, "problem": str(error)})
                await asyncio.sleep(error.retry_after.total_seconds() if error.retry_after else wait)
                wait, patience = min(wait * 2, _LONGEST_WAIT), 0
            else:
                self._hearing = True
                wait, patience = _FIRST_WAIT, _POLL_SECONDS

    async def _hear_by_webhook(self, intake: "_Intake") -> None:
        self._intake = intake
        await asked(
            self._bot.set_webhook(
                self._config.webhook_url,
                secret_token=self._config.webhook_secret,
                allowed_updates=HEARD,
                drop_pending_updates=False,
            )
        )
        self._hearing = True
        log.info("listening", extra={"platform": NAME})
        # Stopping leaves the webhook in place: what happens meanwhile waits with Telegram.
        await asyncio.Event().wait()

    async def _receive(self, request: Request) -> Response:
        """One update. Whatever is not stored is not 200: Telegram will come again."""
        given = request.headers.get(_SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._config.webhook_secret.encode()):
            return Response(status_code=403)
        intake = self._intake
        if intake is None:
            return Response(status_code=503)
        payload = await _payload(request)
        if payload is None:
            return Response(status_code=400)
        try:
            await intake.take(payload)
        except Unreachable as error:
            log.warning("not stored", extra={"platform": NAME, "problem": str(error)})
            return Response(status_code=503)
        return Response(status_code=200)

    # --- out ---

    async def say(self, owed: Owed) -> MessageRef:
        """Say the post, or rewrite the one it edits; its receipt. Raises Unreachable (again later), Refused (never).

        Never waits: a chat that has had its share is Unreachable until it may be spoken to again.
        """
        chat, _, topic = owed.post.place.chat.partition("/")
        now = asyncio.get_running_loop().time
        if (wait := self._pace.take(chat, now())) > 0:
            raise Unreachable(f"platforms.{NAME}: this chat has had its share", timedelta(seconds=wait))
        said = render(owed.post.content, self._voice)
        try:
            if owed.edits is not None:
                return await asked(self._rewrite(owed.edits, said))
            return await asked(self._post(chat, int(topic) if topic else None, owed.under, said))
        except Unreachable as error:
            if error.retry_after is not None:
                self._pace.rest(chat, now() + error.retry_after.total_seconds())
            raise

    async def _post(self, chat: str, topic: int | None, under: MessageRef | None, said: Said) -> MessageRef:
        reply = ReplyParameters(int(under.id), allow_sending_without_reply=True) if under else None
        sent = await self._bot.send_message(
            chat,
            said.text,
            parse_mode=ParseMode.HTML,
            message_thread_id=topic,
            reply_parameters=reply,
            reply_markup=said.keyboard,
            link_preview_options=_NO_PREVIEW,
        )
        return MessageRef(NAME, str(sent.chat.id), str(sent.message_id))

    async def _rewrite(self, ref: MessageRef, said: Said) -> MessageRef:
        """Rewriting leaves out the keyboard: buttons of what was said before go."""
        try:
            await self._bot.edit_message_text(
                said.text,
                chat_id=ref.chat,
                message_id=int(ref.id),
                parse_mode=ParseMode.HTML,
                reply_markup=said.keyboard,
                link_preview_options=_NO_PREVIEW,
            )
        except BadRequest as error:
            if "not modified" not in error.message.lower():
                raise
        return ref

    # --- who may ---

    async def may_correct(self, person: Person) -> bool:
        """Whether this person is a lead, by id. Never true for a bot: of others nothing comes in, and we are none."""
        ourselves = self._config.bot_token.partition(":")[0]
        return person.platform == NAME and person.id in self._config.leads and person.id != ourselves


class _Intake:
    """Updates on their way into the inbox."""

    def __init__(self, bot: ExtBot[None], ears: Ears, inbox: Inbox) -> None:
        self._bot = bot
        self._ears = ears
        self._inbox = inbox

    async def take(self, payload: Payload) -> None:
        """Store what an update says. Raises Unreachable when it could not be stored: it must come again.

        An update that cannot be understood is skipped, and said so without a word of what is in it: nothing behind it
        would be heard otherwise.
        """
        try:
            update = Update.de_json(payload, self._bot)
            facts = read(update, self._ears)
        except Exception as error:  # noqa: BLE001 - whatever the library stumbles over, it would again
            about = {"update": payload.get("update_id"), "problem": type(error).__name__}
            log.error("update skipped", extra={"platform": NAME, **about})
            return
        for fact in facts:
            await self._store(fact)
        if update.callback_query is not None:
            await self._answer(update.callback_query.id)

    async def _store(self, fact: Fact) -> None:
        match fact:
            case Message():
                await self._inbox.message(fact)
            case Reaction():
                await self._inbox.reaction(fact)
            case Press():
                await self._inbox.press(fact)

    async def _answer(self, query: str) -> None:
        """End the button's waiting. Too late, or said before, is no harm: the press is stored."""
        try:
            await self._bot.answer_callback_query(query)
        except TelegramError as error:
            log.info("press not answered", extra={"platform": NAME, "problem": type(error).__name__})


class _Polling:
    """Takes updates in order; what was stored is confirmed to Telegram with the next poll, never earlier."""

    def __init__(self, line: Line, intake: _Intake) -> None:
        self._line = line
        self._intake = intake
        self._offset: int | None = None

    async def step(self, patience: int) -> None:
        """Take what waits, or what comes within `patience` seconds. Raises Unreachable; the rest comes again then."""
        updates = await self._line.updates(self._offset, patience)
        for number, payload in updates:
            await self._intake.take(payload)
            self._offset = number + 1
        if not updates:
            # All is confirmed. After a week of silence the numbers may begin anew, lower: no offset may outlive that.
            self._offset = None


async def _payload(request: Request) -> Payload | None:
    """The update in the request; None when there is none or it is far too long for one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            return None
    try:
        payload = json.loads(body)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _conforms(telegram: Telegram) -> tuple[Platform, Routed]:
    return telegram, telegram
