"""Step 5: What the person writes next goes to the team that has the conversation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.domain import compose
from bot.domain.ports import Ledger

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Relay:
    """Carries words between the person and the team.

    Only towards the team so far: nothing reaches a customer that a person did not send.
    """

    ledger: Ledger
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Pass on what was written after the decision; how many messages there were."""
        news = await self.ledger.claim_next(self.now(), _AT_ONCE)
        for said in news:
            await self.ledger.conclude_next(said, compose.followed_up(said), self.now())
        return len(news)
