"""Reminds the team, then the fallback team, of a request that nobody takes; nobody while the team is away."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from bot.domain import relay
from bot.domain.conversations import OverdueConversation
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change, Ledger
from bot.domain.tasks import Task
from bot.flow.step import Step

log = logging.getLogger(__name__)

_FOR_EVER = timedelta(days=36_500)
"""A team's time where reminders are off; an answer to a further question may still make a request urgent."""


@dataclass(frozen=True, slots=True)
class Reminder(Step[OverdueConversation]):
    """Reminds people of requests that were brought to a team and that nobody has taken."""

    name: ClassVar[str] = "remind"
    wakes_on: ClassVar[frozenset[Change]] = frozenset()
    """No change announces that time has passed."""

    task: Task
    ledger: Ledger
    take: timedelta | None
    """How long a team has to take a request; None or zero: for ever."""
    now: Callable[[], datetime]
    hurries: bool = False
    """Whether an answer to a further question may leave a team less time than `take`."""

    async def claim(self, limit: int, at_work: Sequence[OverdueConversation] = ()) -> list[OverdueConversation]:
        """Claim what has waited for too long."""
        if not self.take and not self.hurries:
            return []
        return await self.ledger.claim_overdue(self.now(), self.take or _FOR_EVER, limit)

    def key(self, item: OverdueConversation) -> ItemKey:
        return ItemKey(self.name, str(item.conversation.id), item.conversation.id)

    async def handle(self, item: OverdueConversation) -> None:
        """Remind whoever should have taken the request, if they are there."""
        take = item.after or self.take or timedelta(0)
        posts = relay.reminded(self.task, item, take) if self._somebody_is_there(item, take) else []
        await self.ledger.conclude_reminder(item, posts, self.now())
        if posts:
            log.info("reminded", extra={"conversation": item.conversation.id, "before": item.reminders})

    def _somebody_is_there(self, waiting: OverdueConversation, take: timedelta) -> bool:
        """Whether the team was there long enough to have taken it: no reproaches first thing in the morning."""
        label = waiting.conversation.label
        hours = self.task.label(label).hours if label in self.task.names else None
        if hours is None:
            return True
        now = self.now()
        return all(hours.open_at(now - take * part) for part in range(waiting.reminders + 2))
