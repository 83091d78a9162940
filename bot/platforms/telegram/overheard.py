"""Messages of groups that were not addressed to us: a person may make one a request, and Telegram cannot return it."""

from collections import OrderedDict

import telegram
from telegram import Update
from telegram.constants import ChatType

from bot.domain.messages import Message, MessageRef
from bot.platforms.telegram.events import said_to_us
from bot.platforms.telegram.facts import BotIdentity

_KEPT = 1_000
"""The most messages kept, of all groups together, in memory alone: nobody asked us to store them."""


class Overheard:
    """The newest messages of groups that have not concerned us so far."""

    def __init__(self) -> None:
        self._messages: OrderedDict[tuple[str, str], telegram.Message] = OrderedDict()

    def keep(self, update: Update) -> None:
        """Keep the update's message if it is in a group; an edited one replaces its former words."""
        said = update.message or update.edited_message
        if said is None or said.chat.type == ChatType.PRIVATE:
            return
        self._messages[str(said.chat.id), str(said.message_id)] = said
        while len(self._messages) > _KEPT:
            self._messages.popitem(last=False)

    def request(self, ref: MessageRef, identity: BotIdentity) -> Message | None:
        """The message as its writer's request; None where it was never received, or too long ago."""
        said = self._messages.get((ref.chat, ref.id))
        return None if said is None else said_to_us(said, identity)
