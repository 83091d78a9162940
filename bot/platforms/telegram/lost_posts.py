"""Finds a post that Telegram accepted although no receipt of it was stored.

Telegram shows a bot no history, but each chat numbers its messages upwards: a supergroup or channel for itself, all
private chats and basic groups of the bot together. So a lost post has one of the numbers after the last one that is
known from before. Each of these is asked to stop sharing a live location, which no post of ours does, so that nothing
changes; the refusal tells whether the message is ours. Of one that is, and that nobody knows, the words are read: a
change of its buttons is answered with the whole message. The words themselves are never overwritten.

Where nothing is known from before, as of a team's group in which nobody has spoken since we are there, the last number
is looked for in the same way, and the last few messages before it are looked at.
"""

import html
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message
from telegram.error import BadRequest
from telegram.ext import ExtBot

from bot.domain.errors import Unreachable
from bot.domain.ledger import Ledger
from bot.domain.messages import MessageRef
from bot.domain.posts import OutboxItem
from bot.platforms.telegram import NAME
from bot.platforms.telegram.gate import Gate
from bot.platforms.telegram.markup import Said, is_supergroup

log = logging.getLogger(__name__)

MOST = 150
"""How many numbers are asked about for one post: a few seconds, less than half of a post's time."""
_AT_A_TIME = 50
_NONE_IN_A_ROW = {True: 8, False: 40}
"""After so many numbers without a message, behind the last known one, there are no more: by whether the chat numbers
its own. More posts than that are never on their way at a time: four in a chat, 32 in all."""
_LOOKED_BACK = 40
"""How many of a supergroup's last numbers are asked about where nothing is known from before."""
_REMEMBERED = 10_000
_OTHERS_WAIT = timedelta(seconds=2)
_TAG = re.compile(r"<[^>]*>")


class _Stands(Enum):
    OURS = auto()
    ANOTHERS = auto()
    NOTHING = auto()


_SIGNS = {
    "no live location in the message": _Stands.OURS,
    "can't be edited": _Stands.ANOTHERS,
    "message to edit not found": _Stands.NOTHING,
    "message_id_invalid": _Stands.NOTHING,
}
"""How Telegram refuses, and what that says about the message."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A post as it would stand."""

    post: int
    attempt: int
    chat: str
    topic: int | None
    reply: int | None
    said: Said


@dataclass(frozen=True, slots=True)
class Search:
    """What became of a search."""

    found: Message | None
    parts: int = 0
    """How many messages that follow the found one (attachments) stand already."""
    complete: bool = True
    """Whether the post certainly does not stand if it was not found."""


class LostPosts:
    """Looks for posts, one at a time in each chat. `count` is told of every call that changes a message."""

    def __init__(self, bot: ExtBot[None], ledger: Ledger, count: Callable[[str], None]) -> None:
        self._bot = bot
        self._ledger = ledger
        self._count = count
        self._gate = Gate()
        self._ours: dict[tuple[str, int], None] = {}
        """The latest messages that this process sent or found: their receipts may not be stored yet."""
        self._read: dict[tuple[str, int], Message | None] = {}
        """Messages of ours without a receipt, once read; None: one without words or buttons."""

    def sending(self, chat: str) -> AbstractAsyncContextManager[None]:
        """To be held while something is sent to that chat, until it is remembered."""
        return self._gate.sending(chat)

    def remember(self, sent: Message) -> None:
        """This process sent that message, so that it is no other post."""
        self._ours[str(sent.chat.id), sent.message_id] = None
        if len(self._ours) > _REMEMBERED:
            del self._ours[next(iter(self._ours))]

    async def find(self, item: OutboxItem, wanted: Wanted) -> Search:
        """Look for the post. Raises Unreachable, TelegramError: look again later.

        The found message may lack its buttons: the caller rewrites it as it should be.
        """
        async with self._gate.looking(wanted.chat):
            before, newest = await self._ledger.refs_around(item.id)
            after, top = _highest(before, wanted.chat), _highest(newest, wanted.chat)
            known = after is not None and top is not None
            if after is None or top is None:
                top = await self._last(wanted.chat)
                if top is None:
                    return Search(None, complete=False)
                after = max(0, top - _LOOKED_BACK)
            ours, complete = await self._unknown_ones(wanted.chat, after, top)
            if ours and await self._ledger.others_say(item.id, NAME, wanted.chat):
                raise Unreachable(f"platforms.{NAME}: another process is posting in this chat", _OTHERS_WAIT)
            ours = await self._not_known(wanted.chat, ours)  # a receipt may have come meanwhile
            for number in ours:
                message = await self._words(wanted, number)
                if message is not None and _is_it(message, wanted):
                    self.remember(message)
                    return Search(message, await self._parts(wanted, number, ours))
            return Search(None, complete=complete and known)

    async def _unknown_ones(self, chat: str, after: int, top: int) -> tuple[list[int], bool]:
        """Messages of ours after that number that nobody knows, and whether there are certainly no others.

        `top` is the highest number that is known by now.
        """
        ours: list[int] = []
        asked = nothing = 0
        while True:
            numbers = range(after + 1, after + 1 + _AT_A_TIME)
            for number in await self._not_known(chat, numbers):
                stands = await self._asked(chat, number) if asked < MOST else None
                if stands is None:
                    return ours, False
                asked += 1
                nothing = nothing + 1 if stands is _Stands.NOTHING and number > top else 0
                if stands is _Stands.OURS:
                    ours.append(number)
                if nothing == _NONE_IN_A_ROW[is_supergroup(chat)]:
                    return ours, True
            after += _AT_A_TIME

    async def _last(self, chat: str) -> int | None:
        """The highest number of a supergroup; None: its messages are not shown to us, or it does not number its own.

        Numbers that are no message any more may hide it, where more than a few follow one another.
        """
        if not is_supergroup(chat):
            return None
        low, high = 0, 1
        while await self._stands_from(chat, high):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if await self._stands_from(chat, middle) else (low, middle)
        return low or None

    async def _stands_from(self, chat: str, number: int) -> bool:
        """Whether a message has that number or one of the next few."""
        for one in range(number, number + _NONE_IN_A_ROW[True]):
            stands = await self._asked(chat, one)
            if stands is not _Stands.NOTHING:
                return stands is not None
        return False

    async def _asked(self, chat: str, number: int) -> _Stands | None:
        """Whose message that is; None: Telegram's answer does not say."""
        try:
            await self._bot.stop_message_live_location(chat, number)
        except BadRequest as error:
            said = error.message.lower()
            stands = next((stands for sign, stands in _SIGNS.items() if sign in said), None)
            if stands is None:
                log.warning("message not looked at", extra={"platform": NAME, "chat": chat, "problem": error.message})
            return stands
        return _Stands.ANOTHERS  # a live location is no post

    async def _not_known(self, chat: str, numbers: Sequence[int]) -> list[int]:
        known = await self._ledger.known_refs(NAME, chat, [str(number) for number in numbers])
        return [one for one in numbers if str(one) not in known and (chat, one) not in self._ours]

    async def _words(self, wanted: Wanted, number: int) -> Message | None:
        """The message; None where it cannot be read, as a file of an album. It loses its buttons."""
        at = wanted.chat, number
        if at not in self._read:
            # A value that no button has, so that the message changes in any case
            button = InlineKeyboardButton("…", callback_data=f"lost {wanted.post} {wanted.attempt}")
            shown = await self._show(at, InlineKeyboardMarkup([[button]]))
            if shown is not None:
                await self._show(at, None)
            if len(self._read) > _REMEMBERED:
                del self._read[next(iter(self._read))]
            self._read[at] = shown
        return self._read[at]

    async def _show(self, at: tuple[str, int], buttons: InlineKeyboardMarkup | None) -> Message | None:
        self._count(at[0])
        try:
            shown = await self._bot.edit_message_reply_markup(*at, reply_markup=buttons)
        except BadRequest:
            return None
        return shown if isinstance(shown, Message) else None

    async def _parts(self, wanted: Wanted, number: int, ours: Sequence[int]) -> int:
        """How many messages stand that follow this one: attachments, in the order in which they were sent."""
        stored = await self._ledger.parts_of(MessageRef(NAME, wanted.chat, str(number)))
        behind = [await self._words(wanted, one) for one in ours if one > number]
        return stored + sum(one is not None and not one.text and _replied_to(one) == number for one in behind)


def _highest(refs: Sequence[MessageRef], chat: str) -> int | None:
    """The highest number in the chat's sequence; None: none is known."""
    return max((int(ref.id) for ref in refs if ref.id.isdecimal() and _counts_with(ref, chat)), default=None)


def _counts_with(ref: MessageRef, chat: str) -> bool:
    """Whether that message's number is of the same sequence as the chat's."""
    there = ref.chat.partition("/")[0]
    return there == chat if is_supergroup(chat) else not is_supergroup(there)


def _is_it(message: Message, wanted: Wanted) -> bool:
    topic = message.message_thread_id if message.is_topic_message else None
    # A topic that takes no posts leaves them in the group itself, and a message that is gone is not replied to
    there = topic in (wanted.topic, None) and _replied_to(message) in (wanted.reply, None)
    return there and _bare(html.escape(message.text or "")) == _bare(wanted.said.text)


def _replied_to(message: Message) -> int | None:
    """The message that it replies to; in a topic, every message is shown as a reply to the topic's first."""
    replied = message.reply_to_message
    return None if replied is None or replied.message_id == message.message_thread_id else replied.message_id


def _bare(text: str) -> str:
    """The words of HTML, without marks; Telegram trims spaces."""
    return " ".join(html.unescape(_TAG.sub("", text)).split())
