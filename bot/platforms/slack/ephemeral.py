"""Ephemeral messages, seen by one person; they can be changed only through the address sent with a button press."""

import asyncio
import logging
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession
from cachetools import LRUCache

from bot.domain.errors import Unreachable
from bot.domain.messages import MessageRef
from bot.platforms.slack.blocks import Said
from bot.platforms.slack.payload import NAME
from bot.platforms.slack.web_api import CALL_SECONDS, unreached

log = logging.getLogger(__name__)

_GOOD_FOR = 1_700.0
"""Seconds for which we use such an address; Slack keeps it for half an hour."""
_MOST = 5_000
"""The most addresses kept; the oldest are dropped first."""


@dataclass(slots=True)
class EphemeralMessages:
    """Answers one person alone, and changes messages that only this person sees."""

    session: ClientSession
    _addresses: LRUCache[MessageRef, tuple[float, str]] = field(default_factory=lambda: LRUCache(_MOST))

    def remember(self, ref: MessageRef, address: str) -> None:
        """Remember the address through which that message, seen by one person, can be changed for a while."""
        if address:
            self._addresses[ref] = (asyncio.get_running_loop().time() + _GOOD_FOR, address)

    async def replace(self, ref: MessageRef, said: Said) -> None:
        """Change the message if that is still possible; otherwise it has vanished or will, and nothing is lost."""
        until, address = self._addresses.pop(ref, (0.0, ""))
        if not address or until < asyncio.get_running_loop().time():
            log.info("one-person message can no longer be changed", extra={"platform": NAME})
            return
        await self.answer(address, said, replace=True)

    async def answer(self, address: str, said: Said, *, replace: bool = False) -> None:
        """Answer the person who pressed a button or typed a command, and nobody else. Raises Unreachable."""
        body = {"response_type": "ephemeral", "text": said.text, "blocks": said.blocks, "replace_original": replace}
        try:
            async with asyncio.timeout(CALL_SECONDS), self.session.post(address, json=body) as answer:
                if answer.status >= 400:
                    raise Unreachable(f"platforms.slack: response_url: {answer.status}")
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            # The address itself is secret: only its host may be logged.
            raise Unreachable(f"platforms.slack: response_url: {unreached(error)}") from None
