"""Sends posts and answers, within Telegram's rate limits."""

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from typing import TypeVar

from telegram import LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import ExtBot

from bot.domain import delivery
from bot.domain.errors import ChatMoved, Refused, Unreachable
from bot.domain.ledger import Ledger
from bot.domain.messages import Media, MessageRef, Place
from bot.domain.posts import OutboxItem, Reply
from bot.platforms.telegram import NAME
from bot.platforms.telegram.attachments import Attachments, Destination
from bot.platforms.telegram.bot_api import BadToken, asked
from bot.platforms.telegram.lost_posts import LostPosts, Search, Wanted
from bot.platforms.telegram.markup import Said
from bot.platforms.telegram.message_parts import MessageParts
from bot.platforms.telegram.rate_limits import Pace
from bot.platforms.telegram.render import attached, render
from bot.platforms.telegram.rooms import Rooms
from bot.platforms.wording import RenderContext

log = logging.getLogger(__name__)

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_TOPIC_GONE = ("thread not found", "topic_closed", "topic_deleted")
_TRIES, _PATIENCE, _MOST_LATER = 3, timedelta(seconds=3), 200
_LOOKS = 3
"""A post that could not be looked for so often is sent: it must not wait for ever."""
T = TypeVar("T")


class Sender:
    """Sends posts and answers as one bot."""

    def __init__(self, bot: ExtBot[None], rendering: RenderContext, rooms: Rooms, ledger: Ledger) -> None:
        self._bot = bot
        self._rendering = rendering
        self._rooms = rooms
        self._pace = Pace()
        self._ledger = ledger
        self._parts = MessageParts(ledger)
        self._lost = LostPosts(bot, ledger, self._count)
        self.attachments = Attachments(bot, self._count, self._parts)
        self._later: set[asyncio.Task[None]] = set()
        self._turned_away: set[int] = set()
        """Posts that Telegram turned away as too frequent, so that they were certainly not sent."""
        self._failed_looks = Counter[int]()
        """Post -> how often it could not be looked for."""

    def delay(self, item: OutboxItem) -> timedelta:
        """How long the post must wait for its turn, by the limits of its chat and of the whole bot."""
        chat = _chat(item.post.place) if item.edits is None else item.edits.chat
        return timedelta(seconds=self._pace.delay(item.id, chat, _now()))

    async def say(self, item: OutboxItem) -> MessageRef:
        """Send the post, or rewrite the one it edits; return its receipt. Raises Unreachable, ChatMoved, Refused.

        Never waits: the caller has waited for its turn (`delay`).
        """
        if item.post.only_for is not None:
            raise Refused(f"platforms.{NAME}: nothing can be shown to one person of a chat alone")
        said = render(item.post.content, self._rendering, _missing(item))
        if item.edits is not None:
            await self._called(item.edits.chat, self._rewrite(item.edits.chat, int(item.edits.id), said))
            return item.edits
        search = await self._looked_for(item, said)
        sent = search.found or await self._first(item, said)
        if search.found is not None:
            await self._restore(search.found, item, said)
        await self._follow(sent, item, search.parts)
        return MessageRef(NAME, str(sent.chat.id), str(sent.message_id))

    async def _looked_for(self, item: OutboxItem, said: Said) -> Search:
        """Look for the post, if an earlier attempt may have sent it. A possible duplicate is logged."""
        if item.attempt == 1 or item.id in self._turned_away:
            return Search(None)
        search = Search(None, complete=False)
        if self._failed_looks[item.id] < _LOOKS:
            try:
                search = await self._called(_chat(item.post.place), self._lost.find(item, _wanted(item, said)))
            except Unreachable:
                if len(self._failed_looks) < _MOST_LATER:
                    self._failed_looks[item.id] += 1
                raise
        if not search.complete:
            log.warning("post may stand twice: an earlier attempt has no receipt", extra=_about(item))
        self._failed_looks.pop(item.id, None)
        return search

    async def _restore(self, found: Message, item: OutboxItem, said: Said) -> None:
        """Give the found post back the buttons that it may have lost by being looked for."""
        chat = str(found.chat.id)
        log.info("post found delivered by an earlier attempt", extra=_about(item))
        try:
            await self._called(chat, self._rewrite(chat, found.message_id, said))
        except Refused as error:
            log.info("message to edit no longer exists", extra={**_about(item), "problem": str(error)})

    async def _first(self, item: OutboxItem, said: Said) -> Message:
        self._turned_away.discard(item.id)
        try:
            return await self._called(_chat(item.post.place), self._post(item.post.place, _target(item), said))
        except Unreachable as error:
            if error.retry_after is not None and len(self._turned_away) < _MOST_LATER:
                self._turned_away.add(item.id)
            raise

    async def answer(self, place: Place, message: int, said: Said, rewrite: bool) -> None:
        """Answer a command, now or as soon as the chat's limits allow; the caller does not wait for that.

        A failure does no harm: the command has taken effect, and can be repeated.
        """
        problem = await self._answered(place, message, said, rewrite)
        if problem is not None and len(self._later) < _MOST_LATER:
            task = asyncio.create_task(self._insist(problem, place, message, said, rewrite), name="telegram answer")
            self._later.add(task)
            task.add_done_callback(self._later.discard)

    async def close(self) -> None:
        """Cancel the answers that still wait for their turn."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _insist(self, problem: Unreachable, place: Place, message: int, said: Said, rewrite: bool) -> None:
        for _ in range(_TRIES):
            await asyncio.sleep(max(_PATIENCE, problem.retry_after or _PATIENCE).total_seconds())
            again = await self._answered(place, message, said, rewrite)
            if again is None:
                return
            problem = again
        log.warning("command not answered", extra={"platform": NAME, "problem": str(problem)})

    async def _answered(self, place: Place, message: int, said: Said, rewrite: bool) -> Unreachable | None:
        """Try to answer; None when it succeeded or never will."""
        chat = _chat(place)
        reply = None if chat == place.chat and not chat.startswith("-") else message
        call = self._rewrite(chat, message, said) if rewrite else self._post(place, reply, said)
        try:
            await self._paced(chat, call)
        except Unreachable as error:
            return error
        except Refused as error:
            log.info("command not answered", extra={"platform": NAME, "problem": str(error)})
        return None

    def _count(self, chat: str) -> None:
        self._pace.count(chat, _now())

    async def _paced(self, chat: str, call: Coroutine[object, object, T]) -> T:
        if (wait := self._pace.take(chat, _now())) > 0:
            call.close()
            raise Unreachable(f"platforms.{NAME}: this chat has had its share", timedelta(seconds=wait))
        return await self._called(chat, call)

    async def _called(self, chat: str, call: Coroutine[object, object, T]) -> T:
        try:
            return await asked(call)
        except BadToken as error:
            raise Unreachable(str(error)) from error  # not the post's fault: it waits for another token
        except ChatMoved as moved:
            # The message about the move may have come while nobody listened; the new group is the team's room, too.
            self._rooms.move(chat, moved.chat)
            raise
        except Unreachable as error:
            if error.retry_after is not None:
                self._pace.rest(chat, _now() + error.retry_after.total_seconds())
            raise

    async def _post(self, place: Place, reply: int | None, said: Said) -> Message:
        chat, _, topic = place.chat.partition("/")
        try:
            return await self._send(Destination(chat, int(topic) if topic else None, _replying(reply)), said)
        except BadRequest as error:
            if not topic or not any(sign in error.message.lower() for sign in _TOPIC_GONE):
                raise
            about = {"platform": NAME, "room": place.chat, "setting": self._rooms.settings(chat)}
            log.error("topic closed or deleted, posted in the group itself", extra=about)
            await self._widen(place)
            return await self._send(Destination(chat, None, _replying(reply)), said)

    async def _widen(self, place: Place) -> None:
        """Make the group itself the team's room: in this process at once, and recorded for the others."""
        if place.chat not in self._rooms.names:
            return
        group = _chat(place)
        self._rooms.widen(place.chat, group)
        try:
            await self._ledger.add_room(place, Place(NAME, group))
        except Unreachable as error:
            about = {"platform": NAME, "room": place.chat, "problem": str(error)}
            log.error("team's room not recorded: other processes still post in the topic", extra=about)

    async def _send(self, destination: Destination, said: Said) -> Message:
        async with self._lost.sending(destination.chat):
            sent = await self._bot.send_message(
                destination.chat,
                said.text,
                parse_mode=ParseMode.HTML,
                message_thread_id=destination.topic,
                reply_parameters=destination.reply,
                reply_markup=said.keyboard,
                link_preview_options=_NO_PREVIEW,
                disable_notification=said.quiet,
            )
            self._lost.remember(sent)
        return sent

    async def _rewrite(self, chat: str, message: int, said: Said) -> None:
        """Rewrite a message. Without a keyboard, the old buttons disappear."""
        try:
            await self._bot.edit_message_text(
                said.text,
                chat_id=chat,
                message_id=message,
                parse_mode=ParseMode.HTML,
                reply_markup=said.keyboard,
                link_preview_options=_NO_PREVIEW,
            )
        except BadRequest as error:
            if "not modified" not in error.message.lower():
                raise

    async def _follow(self, sent: Message, item: OutboxItem, stand: int) -> None:
        """Send what follows the text: attachments but for the first ones that `stand` already, and a line on those that
        failed.

        Never raises for these, since the text would be sent again.
        """
        content, topic = item.post.content, sent.message_thread_id if sent.is_topic_message else None
        destination = Destination(str(sent.chat.id), topic, _replying(sent.message_id))
        if lost := await self.attachments.send(destination, delivery.attached(content), item.files, stand):
            language = self._rendering.persons(content.language) if isinstance(content, Reply) else self._rendering.team
            await self._add(destination, "\n".join(attached(lost, language, "telegram_lost")))

    async def _add(self, destination: Destination, text: str) -> None:
        self._count(destination.chat)
        try:
            piece = await asked(self._send(destination, Said(text, quiet=True)))
        except (Unreachable, Refused) as error:
            ref = None if destination.reply is None else destination.reply.message_id
            log.error("part of a post not delivered", extra={"platform": NAME, "ref": ref, "problem": str(error)})
        else:
            if destination.reply is not None:
                await self._parts.add(destination.chat, piece.message_id, destination.reply.message_id)


def _about(item: OutboxItem) -> dict[str, object]:
    return {"platform": NAME, "post": item.id, "chat": _chat(item.post.place), "attempt": item.attempt}


def _wanted(item: OutboxItem, said: Said) -> Wanted:
    chat, _, topic = item.post.place.chat.partition("/")
    return Wanted(item.id, item.attempt, chat, int(topic) if topic else None, _target(item), said)


def _missing(item: OutboxItem) -> list[Media]:
    """Other platforms' attachments whose bytes were not fetched."""
    here = {file.media for file in item.files}
    return [one for one in delivery.attached(item.post.content) if one.platform != NAME and one not in here]


def _target(item: OutboxItem) -> int | None:
    """The message that the post replies to, if it is in the same chat."""
    for ref in (item.post.answers, item.under):
        if ref is not None and ref.platform == NAME and ref.chat.partition("/")[0] == _chat(item.post.place):
            return int(ref.id)
    return None


def _replying(message: int | None) -> ReplyParameters | None:
    return ReplyParameters(message, allow_sending_without_reply=True) if message is not None else None


def _chat(place: Place) -> str:
    return place.chat.partition("/")[0]


def _now() -> float:
    return asyncio.get_running_loop().time()
