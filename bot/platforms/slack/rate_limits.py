"""How fast one may speak in a channel: about a message a second, with short bursts."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.errors import Unreachable

_A_SECOND = 1.0
_BURST = 5
_PATIENCE = 15.0
"""Whoever would wait for longer is sent back to the outbox, which has more time."""


@dataclass(slots=True)
class Pace:
    """Hands out turns to speak, channel by channel: one that must wait holds up no other."""

    _next: dict[str, float] = field(default_factory=dict)
    """Channel -> when its next turn would be if there were no bursts."""

    async def turn(self, channel: str) -> None:
        """Wait for a turn. Raises Unreachable when it is far away."""
        now = asyncio.get_running_loop().time()
        due = max(self._next.get(channel, 0.0), now - (_BURST - 1) * _A_SECOND)
        wait = due - now
        if wait > _PATIENCE:
            raise Unreachable("platforms.slack: much is said in this channel", timedelta(seconds=wait))
        self._next[channel] = due + _A_SECOND
        if wait > 0:
            await asyncio.sleep(wait)

    def hold(self, channel: str, wait: timedelta) -> None:
        """Slack wants nothing more said there for so long."""
        until = asyncio.get_running_loop().time() + wait.total_seconds()
        self._next[channel] = max(self._next.get(channel, 0.0), until)
