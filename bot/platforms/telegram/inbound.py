"""Takes Telegram's updates: each is parsed, stored, and only then confirmed."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import telegram
from telegram import Update
from telegram.constants import ChatMemberStatus
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.domain.errors import Refused, Unreachable
from bot.domain.ledger import Ledger
from bot.domain.messages import Edit, Message, Note, Press, Reaction
from bot.domain.ports import Inbox
from bot.platforms.telegram import NAME
from bot.platforms.telegram.bot_api import BotApiClient, Payload
from bot.platforms.telegram.events import album, read
from bot.platforms.telegram.facts import Answer, BotIdentity, Command, Fact, Membership, Migration, Unheard
from bot.platforms.telegram.overheard import Overheard
from bot.platforms.telegram.rooms import Rooms

log = logging.getLogger(__name__)

_TRIES = 3
"""How often an update may fail for an unforeseen reason before it is given up."""
_ALBUMS = 200
"""The most albums kept in memory: the messages of one arrive within a second."""

_EXPLAINED_SECONDS = 60.0

_TOGETHER = 64
"""The most updates stored at a time."""


@dataclass(frozen=True, slots=True)
class Replies:
    """What is answered at once, in the place of the message."""

    obey: Callable[[Command], Awaitable[None]]
    explain: Callable[[Unheard], Awaitable[None]]
    refusal: Callable[[Press], Awaitable[str]]
    """Why a button does nothing for the person who pressed it; empty when it may do something."""


class Albums:
    """Which albums in groups are for us: each picture is a message, and only one of them is addressed to us."""

    def __init__(self) -> None:
        self._leaders: OrderedDict[str, telegram.Message] = OrderedDict()
        self._early: OrderedDict[str, list[Update]] = OrderedDict()

    def read(self, update: Update, identity: BotIdentity) -> list[Fact]:
        """The facts of the update; for an album, once it is known to be for us, also those of its earlier messages."""
        name = album(update)
        if name is None or update.message is None:
            return read(update, identity)
        leader = self._leaders.get(name)
        facts = read(update, identity, leader)
        if not any(_leads(fact) for fact in facts):
            self._early.setdefault(name, []).append(update)
        elif leader is None:
            self._leaders[name] = update.message
            facts += [fact for early in self._early.pop(name, []) for fact in read(early, identity, update.message)]
        for memory in (self._leaders, self._early):
            while len(memory) > _ALBUMS:
                memory.popitem(last=False)
        return facts


def _leads(fact: Fact) -> bool:
    """Whether the fact shows that the album is for us."""
    return fact.request is not None if isinstance(fact, Answer) else not isinstance(fact, Unheard)


class Inbound:
    """Stores updates through the inbox."""

    def __init__(
        self,
        bot: ExtBot[None],
        rooms: Rooms,
        send_prefix: str,
        ledger: Ledger,
        inbox: Inbox,
        replies: Replies,
        request_emoji: str | None = None,
    ) -> None:
        """`request_emoji`, put by anybody on any message of a group, makes it a request."""
        self._request_emoji = request_emoji
        self._overheard = Overheard()
        self._bot = bot
        self._rooms = rooms
        self._send_prefix = send_prefix
        self._ledger = ledger
        self._inbox = inbox
        self._replies = replies
        self._albums = Albums()
        self._in_order = asyncio.Lock()
        self._explained: dict[tuple[str, str], float] = {}
        self._failed: tuple[object, int] = (None, 0)
        """The update that failed last, and how often it failed."""

    async def take(self, payload: Payload) -> None:
        """Store an update's facts. Raises Unreachable when that failed: the update must come again.

        An update that cannot be parsed is skipped, and so is one that fails however often it comes, because it would
        hold up all later ones. The log names it without its content.
        """
        try:
            update = Update.de_json(payload, self._bot)
        except Exception as error:  # noqa: BLE001 - whatever the library fails on, it would fail on again
            _skipped(payload, error)
            return
        try:
            async with self._in_order:  # the messages of an album are read in order
                await self._look_again(update)
                facts = self._albums.read(update, self._identity())
                if not facts:
                    self._overheard.keep(update)
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            _skipped(payload, error)
            return
        try:
            for fact in facts:
                await self._store(fact)
        except Unreachable:
            raise
        except Exception as error:  # noqa: BLE001 - it may be over in a moment, or never
            self._again(payload, error)
        if update.callback_query is not None:
            refusal = await self._refusal(facts)
            await self._answer(update.callback_query.id, refusal)

    async def _look_again(self, update: Update) -> None:
        """Load the rooms again: by another process, a group may have replaced its closed topic as the room."""
        chat = update.effective_chat
        if chat is not None and self._rooms.shares(str(chat.id)):
            await self._rooms.learn(self._ledger)

    def _again(self, payload: Payload, error: Exception) -> None:
        """Raise Unreachable, so that the update comes again; after the last try, skip it."""
        number = payload.get("update_id")
        self._failed = (number, self._failed[1] + 1) if self._failed[0] == number else (number, 1)
        if self._failed[1] < _TRIES:
            raise Unreachable(f"platforms.{NAME}: an update was not taken in ({type(error).__name__})") from error
        _skipped(payload, error)

    def _identity(self) -> BotIdentity:
        return BotIdentity(self._bot.id, self._bot.username, self._rooms.names, self._send_prefix)

    async def _store(self, fact: Fact) -> None:
        match fact:
            case Answer():
                await self._answered(fact)
            case Message():
                await self._inbox.message(fact)
            case Edit():
                await self._inbox.edit(fact)
            case Note():
                await self._inbox.note(fact)
            case Reaction():
                await self._react(fact)
            case Press():
                await self._inbox.press(fact)
            case Command():
                await self._replies.obey(fact)
            case Migration():
                await self._move(fact)
            case Membership():
                self._notice(fact)
            case Unheard():
                await self._explain(fact)

    async def _react(self, reaction: Reaction) -> None:
        if not reaction.added or reaction.emoji != self._request_emoji or reaction.ref.chat in self._rooms.names:
            await self._inbox.reaction(reaction)
            return
        now = datetime.now(UTC)
        if await self._ledger.make_request(reaction.ref, now):
            return
        request = self._overheard.request(reaction.ref, self._identity())
        if request is not None:
            await self._inbox.message(request)
            await self._ledger.make_request(request.ref, now)

    async def _explain(self, fact: Unheard) -> None:
        """Explain, at most once a minute for each chat and cause, however often a message or picture is repeated."""
        cause = (fact.place.chat, fact.key)
        now = asyncio.get_running_loop().time()
        if self._explained.get(cause, now) <= now:
            self._explained = {known: until for known, until in self._explained.items() if until > now}
            self._explained[cause] = now + _EXPLAINED_SECONDS
            await self._replies.explain(fact)

    async def _answered(self, fact: Answer) -> None:
        """Store a reply under something of a team's as its note, whatever the settings say now; else as a request."""
        if await self._ledger.is_of_a_team(fact.note.under, fact.ours):
            await self._inbox.note(fact.note)
        elif fact.request is not None:
            await self._inbox.message(fact.request)

    async def _move(self, fact: Migration) -> None:
        self._rooms.move(fact.before, fact.after)
        if setting := self._rooms.settings(fact.after):
            about = {"before": fact.before, "after": fact.after, "setting": setting}
            log.warning("group has a new id; write it in the settings", extra={"platform": NAME, **about})
        await self._inbox.chat_moved(NAME, fact.before, fact.after)

    def _notice(self, fact: Membership) -> None:
        """Log that the bot is no administrator in a team's room, and so gets no reactions there, or no cards."""
        setting = self._rooms.settings(fact.chat)
        if setting and fact.status not in (ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER):
            about = {"chat": fact.chat, "status": fact.status, "setting": setting}
            log.error(
                "no longer an administrator of a team's group; make the bot one", extra={"platform": NAME, **about}
            )

    async def _refusal(self, facts: Sequence[Fact]) -> str:
        """Why a button does nothing for the person who pressed it; empty when it may do something."""
        press = next((fact for fact in facts if isinstance(fact, Press)), None)
        try:
            return "" if press is None else await self._replies.refusal(press)
        except (Unreachable, Refused):
            return ""  # the press is stored: the flow checks it again

    async def _answer(self, query: str, text: str) -> None:
        """End the button's waiting animation. Failing (too late, done before) does no harm: the press is stored."""
        try:
            await self._bot.answer_callback_query(query, text or None, show_alert=bool(text))
        except TelegramError as error:
            log.info("press not answered", extra={"platform": NAME, "problem": type(error).__name__})


def _skipped(payload: Payload, error: Exception) -> None:
    about = {"update": payload.get("update_id"), "problem": type(error).__name__}
    log.error("update skipped", extra={"platform": NAME, **about})


class Polling:
    """Takes updates in order; a stored update is confirmed to Telegram by the next poll, never earlier.

    Consecutive messages are stored together, to save transactions.
    """

    def __init__(self, client: BotApiClient, inbound: Inbound) -> None:
        self._client = client
        self._inbound = inbound
        self._offset: int | None = None

    async def step(self, patience: int) -> None:
        """Take the waiting updates, or those that come within `patience` seconds.

        Raises Unreachable; the rest then comes again.
        """
        updates = await self._client.updates(self._offset, patience)
        for together in _side_by_side(updates):
            outcomes = await asyncio.gather(*(self._inbound.take(one) for _, one in together), return_exceptions=True)
            for (number, _), failure in zip(together, outcomes, strict=True):
                if failure is not None:
                    raise failure
                self._offset = number + 1
        if not updates:
            # All is confirmed. After a week of silence the numbers may restart lower, so that no offset may be kept
            # that long.
            self._offset = None


def _side_by_side(updates: Sequence[tuple[int, Payload]]) -> Iterator[list[tuple[int, Payload]]]:
    """The updates in order, in groups that may be stored together: consecutive messages.

    Anything else (a command, an edit, a press) refers to what came before it, and waits until that is stored.
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
