"""Step 1: Store what happened. When a method here returns, the platform may acknowledge."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.messages import Message, Press, Reaction, clean
from bot.domain.ports import Inbox, Ledger

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receiver:
    """The inbox of every platform."""

    ledger: Ledger
    settle: timedelta
    idle: timedelta
    ripe_in: Callable[[timedelta], None]
    """Told when the conversation will have been quiet for long enough."""

    async def message(self, message: Message) -> None:
        """Store the message. A repeat changes nothing. Raises Unreachable when it could not be stored."""
        author = replace(message.author, name=clean(message.author.name)[:80])
        new = await self.ledger.add_message(
            replace(message, text=clean(message.text), author=author), self.settle, self.idle
        )
        if new:
            log.info("received", extra={"platform": message.ref.platform, "ref": message.ref.id})
            self.ripe_in(self.settle)

    async def reaction(self, reaction: Reaction) -> None:
        """Store the reaction, if it may be on one of our posts. Raises Unreachable when it could not be stored."""
        if await self.ledger.add_reaction(reaction):
            log.info("reaction", extra={"platform": reaction.ref.platform, "added": reaction.added})

    async def press(self, press: Press) -> None:
        """Store the press, if it may be on one of our posts. Raises Unreachable when it could not be stored."""
        if await self.ledger.add_press(press):
            log.info("press", extra={"platform": press.ref.platform})


def _conforms(receiver: Receiver) -> Inbox:
    return receiver
