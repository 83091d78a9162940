"""Whoever speaks through the API: a lead by their token's scope, which was looked at when they spoke."""

from datetime import timedelta

from bot.domain.api_tokens import PLATFORM
from bot.domain.errors import Refused
from bot.domain.messages import Media, MessageRef, Person, Place
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import OutboxItem
from bot.domain.tasks import Label


class ApiLeads:
    """A platform without chats: it only answers whose word counts."""

    name = PLATFORM
    whispers = False

    async def listen(self, inbox: Inbox) -> None:
        """Nobody writes here: what comes over HTTP is stored where it comes in."""

    def delay(self, item: OutboxItem) -> timedelta:
        return timedelta(0)

    async def say(self, item: OutboxItem) -> MessageRef:
        raise Refused("nobody can be written to through the API")

    async def fetch(self, media: Media) -> bytes:
        raise Refused("nothing is attached through the API")

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        """Nothing is stored in the name of a token that lacks the scope."""
        return person.platform == PLATFORM

    async def may_handle(self, person: Person, room: Place) -> bool:
        return False

    def healthy(self) -> bool:
        return True


_: type[Platform] = ApiLeads
