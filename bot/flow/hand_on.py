"""Hands on requests that were opened again after their team was merged or retired: no former room gets them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from bot.domain import compose
from bot.domain.conversations import CardState
from bot.domain.decisions import Author, Decision
from bot.domain.failures import ItemKey
from bot.domain.ledger import Ledger
from bot.domain.messages import has_words, joined
from bot.domain.rich_text import plain
from bot.domain.tasks import Task
from bot.domain.team_changes import Teamless, to_the_heir
from bot.flow.classify import Classifier
from bot.flow.step import Step

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HandOn(Step[Teamless]):
    """Gives a merged team's request to the team that it became part of, and has a retired team's decided anew."""

    name: ClassVar[str] = "hand_on"

    task: Task
    ledger: Ledger
    classifier: Classifier
    now: Callable[[], datetime]

    async def claim(self, limit: int, at_work: Sequence[Teamless] = ()) -> list[Teamless]:
        """Claim open requests whose team has ended."""
        return await self.ledger.claim_teamless(self.task.name, self.now(), limit)

    def key(self, item: Teamless) -> ItemKey:
        return ItemKey(self.name, str(item.conversation.id), item.conversation.id)

    async def handle(self, item: Teamless) -> None:
        """Give it to another team: the old card is struck, the new one says why it came, and the person is told."""
        merged_into = item.merged and item.heir in self.task.names
        decision = to_the_heir(self.task, item) if merged_into else await self._decided_anew(item)
        posts = compose.judged(self.task, item.pending, decision, CardState(), self.now())
        await self.ledger.conclude_teamless(item, decision, posts, self.now())
        about = {"conversation": item.conversation.id, "label": decision.label}
        log.info("handed on", extra={**about, "by": decision.by.value, "reason": decision.reason.value})

    async def _decided_anew(self, item: Teamless) -> Decision:
        """The decision of the voices among the present teams or, where they are not sure, for the heir.

        Nobody is asked: who says that a request is not solved must not be sent from team to team.
        """
        text = plain(joined([message.text for message in item.pending.messages]))
        if not has_words(text):
            return to_the_heir(self.task, item)
        ended = item.conversation.label
        # This process may have read the settings before the team was taken out of them
        labels = tuple(one for one in self.task.labels if one.name != ended or one.name == self.task.fallback)
        present = replace(self.task, labels=labels)
        query = await self.classifier.query(present, hurried=True)
        [known] = await self.classifier.consider(query, [text], askers=[item.conversation.person.key])
        task, known = known.as_request(present)
        decision = known.decided(task, may_ask=False, now=self.now())
        return to_the_heir(task, item) if decision.by is Author.FALLBACK else decision
