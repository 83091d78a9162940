"""What nobody takes: its team is reminded, then the fallback team, and nobody while the team is away."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import relay
from bot.domain.conversations import OverdueConversation
from bot.domain.ports import Ledger
from bot.domain.tasks import Task

log = logging.getLogger(__name__)

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Reminder:
    """Sees to it that somebody takes what was brought to a team."""

    task: Task
    ledger: Ledger
    take: timedelta | None
    """How long a team has; None or nothing: for ever."""
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Remind of what waits for too long; how many reminders there were."""
        if not self.take:
            return 0
        reminders = 0
        for waiting in await self.ledger.claim_overdue(self.now(), self.take, _AT_ONCE):
            there = self._somebody_is_there(waiting, self.take)
            posts = relay.reminded(self.task, waiting, self.take) if there else []
            await self.ledger.conclude_reminder(waiting, posts, self.now())
            if posts:
                reminders += 1
                log.info("reminded", extra={"conversation": waiting.conversation.id, "before": waiting.reminders})
        return reminders

    def _somebody_is_there(self, waiting: OverdueConversation, take: timedelta) -> bool:
        """Whether the team has been there for long enough to have taken it: a morning begins without reproaches."""
        label = waiting.conversation.label
        hours = self.task.label(label).hours if label in self.task.names else None
        if hours is None:
            return True
        now = self.now()
        return all(hours.open_at(now - take * part) for part in range(waiting.reminders + 2))
