"""Who may do what in Telegram: by id, or by the person's status in a group."""

import asyncio

from telegram.constants import ChatID, ChatMemberStatus

from bot.domain.errors import ChatMoved, Refused
from bot.domain.messages import Person, Place
from bot.domain.tasks import Label
from bot.platforms.telegram import ADMINS, NAME, Config
from bot.platforms.telegram.bot_api import BotApiClient, Member
from bot.platforms.telegram.rooms import Rooms

_REMEMBERED_SECONDS = 300.0
_MOST = 10_000
_NOBODY = frozenset(str(int(one)) for one in (ChatID.ANONYMOUS_ADMIN, ChatID.SERVICE_CHAT, ChatID.FAKE_CHANNEL))
"""The ids that Telegram uses for people whom it does not name."""
_ADMINS = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
_THERE = (*_ADMINS, ChatMemberStatus.MEMBER)


class Permissions:
    """Decides who may do what; statuses from Telegram are cached for five minutes."""

    def __init__(self, line: BotApiClient, config: Config, rooms: Rooms) -> None:
        self._line = line
        self._ourselves = config.bot_token.partition(":")[0]
        self._leads = config.leads
        self._rooms = rooms
        self._known: dict[tuple[str, str], tuple[float, Member | None]] = {}

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        """Whether the person leads all teams or this one: by id, or as an administrator of the card's group.

        The latter only where the settings have `ADMINS`. Never true for bots, nor for ids that stand for unnamed
        people. Raises Unreachable.
        """
        leads = self._leads | team.leads.get(NAME, frozenset())
        if not self._is_somebody(person):
            return False
        if person.id in leads:
            return True
        if ADMINS not in leads:
            return False
        member = await self._member(person, room)
        return member is not None and member.status in _ADMINS

    async def may_handle(self, person: Person, room: Place) -> bool:
        """Whether the person is now a member of the team's group. Never true for a bot. Raises Unreachable."""
        if not self._is_somebody(person):
            return False
        member = await self._member(person, room)
        if member is not None and member.status == ChatMemberStatus.RESTRICTED:
            return member.is_member
        return member is not None and member.status in _THERE

    def _is_somebody(self, person: Person) -> bool:
        named = person.id.isdecimal() and person.id not in {*_NOBODY, self._ourselves}
        return person.platform == NAME and named and not person.external

    async def _member(self, person: Person, room: Place) -> Member | None:
        """The person's status; None when they are not in that group, are a bot, or the room is no Telegram group."""
        if room.platform != NAME or not room.chat.startswith("-"):
            return None
        chat = self._rooms.now(room.chat).partition("/")[0]
        now = asyncio.get_running_loop().time()
        known = self._known.get((chat, person.id))
        if known is not None and known[0] > now:
            return known[1]
        if len(self._known) >= _MOST:
            self._known.clear()
        member = await self._asked(chat, person)
        self._known[chat, person.id] = (now + _REMEMBERED_SECONDS, member)
        return member

    async def _asked(self, chat: str, person: Person) -> Member | None:
        try:
            member = await self._line.member(chat, person.id)
        except ChatMoved as moved:
            self._rooms.move(chat, moved.chat)
            return await self._asked(moved.chat, person)
        except Refused:
            return None
        return None if member.is_bot else member
