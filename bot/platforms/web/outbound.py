"""Gives posts their receipts; the page reads its lines from the transcript."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.domain.errors import Refused
from bot.domain.messages import MessageRef
from bot.domain.posts import OutboxItem
from bot.platforms.web.events import NAME, receipt


@dataclass(frozen=True, slots=True)
class Sender:
    """Gives receipts to posts in the chat's rooms."""

    rooms: Collection[str]

    async def say(self, item: OutboxItem) -> MessageRef:
        """The post's receipt, which depends on the post alone, so that repeating it changes nothing. Raises Refused."""
        if item.post.place.chat not in self.rooms:
            raise Refused("web: there is no such room; see deliver_to, tell and also_to of the labels in the settings")
        return item.edits or MessageRef(NAME, item.post.place.chat, receipt(item.id))
