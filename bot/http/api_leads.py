"""The API's `Platform`: corrections over HTTP are those of leads, because the token's scope was checked on arrival."""

from datetime import timedelta

from bot.domain.api_tokens import PLATFORM
from bot.domain.errors import Refused
from bot.domain.messages import Media, MessageRef, Person, Place
from bot.domain.ports import Inbox, Platform
from bot.domain.posts import OutboxItem
from bot.domain.tasks import Label


class ApiLeads:
    """A platform without chats: it only says who may correct."""

    name = PLATFORM
    whispers = False

    async def listen(self, inbox: Inbox) -> None:
        """Receives nothing: what comes over HTTP is stored by the API itself."""

    def delay(self, item: OutboxItem) -> timedelta:
        return timedelta(0)

    async def say(self, item: OutboxItem) -> MessageRef:
        raise Refused("nobody can be written to through the API")

    async def fetch(self, media: Media) -> bytes:
        raise Refused("nothing is attached through the API")

    async def may_correct(self, person: Person, team: Label, room: Place) -> bool:
        """Whether the person comes from the API, where nothing is stored for a token without the scope."""
        return person.platform == PLATFORM

    async def may_handle(self, person: Person, room: Place) -> bool:
        return False

    def healthy(self) -> bool:
        return True


_: type[Platform] = ApiLeads
