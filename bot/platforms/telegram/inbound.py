"""Taking updates in: each is understood, stored, and only then confirmed."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import telegram
from telegram import Update
from telegram.constants import ChatMemberStatus
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.messages import Edit, Message, Note, Press, Reaction
from bot.domain.ports import Inbox
from bot.platforms.telegram import NAME
from bot.platforms.telegram.bot_api import BotApiClient, Payload
from bot.platforms.telegram.events import BotIdentity, Command, Fact, Membership, Migration, album, read
from bot.platforms.telegram.message_parts import MessageParts
from bot.platforms.telegram.rooms import Rooms

log = logging.getLogger(__name__)

_ALBUMS = 200
"""How many albums are remembered: their pieces come within a second of each other."""

_TOGETHER = 64
"""Updates that are taken in at a time."""

Obey = Callable[[Command], Awaitable[None]]


class Albums:
    """Which albums in groups are for us: every picture is a message, and only one of them says for whom."""

    def __init__(self) -> None:
        self._leaders: OrderedDict[str, telegram.Message] = OrderedDict()
        self._early: OrderedDict[str, list[Update]] = OrderedDict()

    def read(self, update: Update, ears: BotIdentity) -> list[Fact]:
        """What the update says; of an album, also what its earlier pieces turn out to have said."""
        name = album(update)
        if name is None or update.message is None:
            return read(update, ears)
        leader = self._leaders.get(name)
        facts = read(update, ears, leader)
        if not facts:
            self._early.setdefault(name, []).append(update)
        elif leader is None:
            self._leaders[name] = update.message
            facts += [fact for early in self._early.pop(name, []) for fact in read(early, ears, update.message)]
        for memory in (self._leaders, self._early):
            while len(memory) > _ALBUMS:
                memory.popitem(last=False)
        return facts


class Inbound:
    """Updates on their way into the inbox."""

    def __init__(
        self, bot: ExtBot[None], rooms: Rooms, send_prefix: str, pieces: MessageParts, inbox: Inbox, obey: Obey
    ) -> None:
        self._bot = bot
        self._rooms = rooms
        self._send_prefix = send_prefix
        self._pieces = pieces
        self._inbox = inbox
        self._obey = obey
        self._albums = Albums()

    async def take(self, payload: Payload) -> None:
        """Store what an update says. Raises Unreachable when it could not be stored: it must come again.

        An update that cannot be understood is skipped, and said so without a word of what is in it: nothing behind it
        would be heard otherwise.
        """
        try:
            update = Update.de_json(payload, self._bot)
            facts = self._albums.read(update, self._ears())
        except Exception as error:  # noqa: BLE001 - whatever the library stumbles over, it would again
            about = {"update": payload.get("update_id"), "problem": type(error).__name__}
            log.error("update skipped", extra={"platform": NAME, **about})
            return
        for fact in facts:
            await self._store(fact)
        if update.callback_query is not None:
            await self._answer(update.callback_query.id)

    def _ears(self) -> BotIdentity:
        return BotIdentity(self._bot.id, self._bot.username, self._rooms.names, self._send_prefix)

    async def _store(self, fact: Fact) -> None:
        match fact:
            case Message():
                await self._inbox.message(fact)
            case Edit():
                await self._inbox.edit(fact)
            case Note():
                await self._inbox.note(replace(fact, under=self._pieces.whole(fact.under)))
            case Reaction():
                await self._inbox.reaction(fact)
            case Press():
                await self._inbox.press(fact)
            case Command():
                await self._obey(fact)
            case Migration():
                await self._move(fact)
            case Membership():
                self._notice(fact)

    async def _move(self, fact: Migration) -> None:
        self._rooms.move(fact.before, fact.after)
        if setting := self._rooms.settings(fact.after):
            about = {"before": fact.before, "after": fact.after, "setting": setting}
            log.warning("group has a new id; write it in the settings", extra={"platform": NAME, **about})
        await self._inbox.chat_moved(NAME, fact.before, fact.after)

    def _notice(self, fact: Membership) -> None:
        """A team's room in which we are no administrator sends no reactions; one that threw us out takes no cards."""
        setting = self._rooms.settings(fact.chat)
        if setting and fact.status not in (ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER):
            about = {"chat": fact.chat, "status": fact.status, "setting": setting}
            log.error(
                "no administrator in a team's group any more; make the bot one", extra={"platform": NAME, **about}
            )

    async def _answer(self, query: str) -> None:
        """End the button's waiting. Too late, or said before, is no harm: the press is stored."""
        try:
            await self._bot.answer_callback_query(query)
        except TelegramError as error:
            log.info("press not answered", extra={"platform": NAME, "problem": type(error).__name__})


class Polling:
    """Takes updates in order; what was stored is confirmed to Telegram with the next poll, never earlier.

    What people say one after the other is stored together: a hundred messages are no hundred transactions.
    """

    def __init__(self, line: BotApiClient, intake: Inbound) -> None:
        self._line = line
        self._intake = intake
        self._offset: int | None = None

    async def step(self, patience: int) -> None:
        """Take what waits, or what comes within `patience` seconds. Raises Unreachable; the rest comes again then."""
        updates = await self._line.updates(self._offset, patience)
        for together in _side_by_side(updates):
            outcomes = await asyncio.gather(*(self._intake.take(one) for _, one in together), return_exceptions=True)
            for (number, _), failure in zip(together, outcomes, strict=True):
                if failure is not None:
                    raise failure
                self._offset = number + 1
        if not updates:
            # All is confirmed. After a week of silence the numbers may begin anew, lower: no offset may outlive that.
            self._offset = None


def _side_by_side(updates: Sequence[tuple[int, Payload]]) -> Iterator[list[tuple[int, Payload]]]:
    """The updates in order, in groups whose members may be stored together: what people merely say.

    Anything else (a command, an edit, a press) is about what came before it, and waits until that is stored.
    """
    group: list[tuple[int, Payload]] = []
    for update in updates:
        if group and not (_merely_said(update[1]) and len(group) < _TOGETHER):
            yield group
            group = []
        group.append(update)
        if not _merely_said(update[1]):
            yield group
            group = []
    if group:
        yield group


def _merely_said(payload: Payload) -> bool:
    message = payload.get("message")
    if not isinstance(message, Mapping) or any(str(key).startswith("migrate_") for key in message):
        return False
    return not any(str(message.get(words, "")).startswith("/") for words in ("text", "caption"))
