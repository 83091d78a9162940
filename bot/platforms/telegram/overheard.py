"""What was said in groups, but not to us: somebody may make a request of it, and Telegram shows no message twice."""

from collections import OrderedDict

import telegram
from telegram import Update
from telegram.constants import ChatType

from bot.domain.messages import Message, MessageRef
from bot.platforms.telegram.events import said_to_us
from bot.platforms.telegram.facts import BotIdentity

_KEPT = 1_000
"""So many of the newest, of all groups together, in memory alone: nobody asked us to store what was not said to us."""


class Overheard:
    """The newest messages of groups that were nobody's business so far."""

    def __init__(self) -> None:
        self._messages: OrderedDict[tuple[str, str], telegram.Message] = OrderedDict()

    def keep(self, update: Update) -> None:
        """Remember what the update says, if it is a message of a group; an edited one in its new words."""
        said = update.message or update.edited_message
        if said is None or said.chat.type == ChatType.PRIVATE:
            return
        self._messages[str(said.chat.id), str(said.message_id)] = said
        while len(self._messages) > _KEPT:
            self._messages.popitem(last=False)

    def request(self, ref: MessageRef, identity: BotIdentity) -> Message | None:
        """The message as a request of whoever wrote it; None where it was never heard, or is too long ago."""
        said = self._messages.get((ref.chat, ref.id))
        return None if said is None else said_to_us(said, identity)
