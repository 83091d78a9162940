"""Ephemeral messages, seen by one person: changed only through the address that came with their button press."""

import asyncio
import logging
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession
from cachetools import LRUCache

from bot.domain.errors import Unreachable
from bot.domain.messages import MessageRef
from bot.platforms.slack.blocks import Said
from bot.platforms.slack.payload import NAME
from bot.platforms.slack.web_api import unreached

log = logging.getLogger(__name__)

_GOOD_FOR = 1_700.0
"""Seconds, of the half hour for which Slack keeps such an address."""
_MOST = 5_000
"""Addresses that are remembered; the oldest are forgotten first."""


@dataclass(slots=True)
class EphemeralMessages:
    """Answers to one person alone, and changes what they were shown."""

    session: ClientSession
    _addresses: LRUCache[MessageRef, tuple[float, str]] = field(default_factory=lambda: LRUCache(_MOST))

    def remember(self, ref: MessageRef, address: str) -> None:
        """That message, seen by one person, can be changed through this address for a while."""
        if address:
            self._addresses[ref] = (asyncio.get_running_loop().time() + _GOOD_FOR, address)

    async def replace(self, ref: MessageRef, said: Said) -> None:
        """Change it where that is still possible. Where it is not, it has vanished or will: nothing is lost."""
        until, address = self._addresses.pop(ref, (0.0, ""))
        if not address or until < asyncio.get_running_loop().time():
            log.info("one-person message can no longer be changed", extra={"platform": NAME})
            return
        await self.answer(address, said, replace=True)

    async def answer(self, address: str, said: Said, *, replace: bool = False) -> None:
        """Tell the person who pressed or typed something, and nobody else. Raises Unreachable."""
        body = {"response_type": "ephemeral", "text": said.text, "blocks": said.blocks, "replace_original": replace}
        try:
            async with self.session.post(address, json=body) as answer:
                if answer.status >= 400:
                    raise Unreachable(f"platforms.slack: response_url: {answer.status}")
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            # The address is a secret of its own: only its host may be told.
            raise Unreachable(f"platforms.slack: response_url: {unreached(error)}") from None
