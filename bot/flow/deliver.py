"""Step 3: What the outbox holds is said, or said later, or never."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import Refused, Unreachable
from bot.domain.ports import Outbox, Platform
from bot.domain.posts import Owed

log = logging.getLogger(__name__)

_AT_ONCE = 32
_LONGEST_WAIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Courier:
    """Carries posts from the outbox to the platforms."""

    outbox: Outbox
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Say what is due; how many posts were tried. One chat that must wait holds up no other."""
        due = await self.outbox.claim_owed(tuple(self.platforms), self.now(), _AT_ONCE)
        await asyncio.gather(*(self._deliver(owed) for owed in due))
        return len(due)

    async def _deliver(self, owed: Owed) -> None:
        place = owed.post.place
        about = {"post": owed.id, "platform": place.platform, "kind": type(owed.post.content).__name__}
        try:
            receipt = await self.platforms[place.platform].say(owed)
        except Unreachable as error:
            wait = error.retry_after or _patience(owed.attempt)
            log.warning("said later", extra={**about, "wait": wait.total_seconds(), "problem": str(error)})
            await self.outbox.postpone(owed, self.now() + wait, str(error))
        except Refused as error:
            log.error("never said", extra={**about, "problem": str(error)})
            await self.outbox.give_up(owed, str(error), self.now())
        else:
            log.info("said", extra={**about, "attempt": owed.attempt})
            await self.outbox.said(owed, receipt, self.now())


def _patience(attempt: int) -> timedelta:
    """Twice as long after each attempt, from one second to ten minutes."""
    return min(timedelta(seconds=2 ** min(attempt - 1, 16)), _LONGEST_WAIT)
