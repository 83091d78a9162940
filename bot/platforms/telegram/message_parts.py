"""Records to which post the messages belong that follow it: its attachments."""

import logging

from bot.domain.errors import Unreachable
from bot.domain.ledger import Ledger
from bot.domain.messages import MessageRef
from bot.platforms.telegram import NAME

log = logging.getLogger(__name__)


class MessageParts:
    """Records which messages belong to one post.

    A reply to a picture under a card thus counts as a reply to the card, even after a restart.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def add(self, chat: str, piece: int, whole: int) -> None:
        """Record a part. Never raises: the part was sent, and after an error would be sent again."""
        try:
            await self._ledger.add_part(MessageRef(NAME, chat, str(piece)), MessageRef(NAME, chat, str(whole)))
        except Unreachable as error:
            about = {"platform": NAME, "ref": whole, "part": piece, "problem": str(error)}
            log.error("attachment's message not recorded: replies to it will not be notes", extra=about)
