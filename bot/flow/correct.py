"""Step 4: A lead's emoji moves the conversation, teaches the memory, and is undone by taking it away."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import compose
from bot.domain.conversations import Dossier, Mark, Ruling, rule
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.ports import Ledger, Platform
from bot.domain.tasks import Task

log = logging.getLogger(__name__)

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Corrector:
    """Turns the reactions that stand on a conversation's cards into what they amount to.

    It looks at the whole standing state, never at a single event, so repeats and any order of arrival end the same.
    """

    task: Task
    ledger: Ledger
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at conversations whose cards got reactions; how many there were."""
        dossiers = await self.ledger.claim_dossiers(self.now(), _AT_ONCE)
        for dossier in dossiers:
            await self._judge(dossier)
        return len(dossiers)

    async def _judge(self, dossier: Dossier) -> None:
        ruling = rule(await self._marks(dossier), dossier.first.label)
        decision = self._consequence(dossier, ruling)
        posts = compose.moved(self.task, dossier.conversation, dossier.card, decision) if decision else []
        await self.ledger.conclude_dossier(dossier, decision, ruling, posts, self.now())
        log.info(
            "corrected" if decision else "reaction changes nothing",
            extra={
                "conversation": dossier.conversation.id,
                "label": decision.label if decision else dossier.conversation.label,
                "disputed": ruling.disputed if ruling else False,
            },
        )

    async def _marks(self, dossier: Dossier) -> list[Mark]:
        """The standing reactions that say something, by people who may say it."""
        marks = []
        for reaction in dossier.standing:
            label = self.task.label_of_emoji(reaction.ref.platform, reaction.emoji)
            platform = self.platforms.get(reaction.ref.platform)
            if label and platform and await platform.may_correct(reaction.actor):
                marks.append(Mark(label, reaction.actor, reaction.at, reaction.ref))
        return marks

    def _consequence(self, dossier: Dossier, ruling: Ruling | None) -> Decision | None:
        """The decision that follows; None when the conversation is already where it belongs."""
        label = ruling.label if ruling else dossier.first.label
        if label == dossier.conversation.label:
            return None
        if ruling is None:
            return replace(dossier.first, reason=Reason.WITHDRAWN, candidates=())
        author = f"{ruling.lead.platform}:{ruling.lead.id}"
        return Decision(self.task.name, label, Author.LEAD, Reason.CORRECTED, actor=author)
