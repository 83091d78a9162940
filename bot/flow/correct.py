"""Step 4: A lead's emoji moves the conversation, teaches the memory, and is undone by taking it away.

An agent's emoji says that somebody is on it, or that it is done.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import compose
from bot.domain.conversations import Dossier, Ruling, Standing
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.ports import Ledger, Platform
from bot.domain.posts import Post
from bot.domain.standing import Act, Saying, amount_to, read, unheard, where, wrong_now
from bot.domain.tasks import Task, Vocabulary

log = logging.getLogger(__name__)

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Corrector:
    """Turns the reactions that stand on a conversation's cards into what they amount to.

    It looks at the whole standing state, never at a single event, so repeats and any order of arrival end the same.
    """

    task: Task
    vocabulary: Vocabulary
    ledger: Ledger
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Look at conversations whose cards got reactions; how many there were."""
        dossiers = await self.ledger.claim_dossiers(self.now(), _AT_ONCE)
        await asyncio.gather(*(self._judge(dossier) for dossier in dossiers))
        return len(dossiers)

    async def _judge(self, dossier: Dossier) -> None:
        counting, ignored = await self._heard(dossier)
        standing = amount_to(dossier, counting)
        decision = self._consequence(dossier, standing.ruling)
        if decision is not None:
            # Whoever took the card that is left, or had done with it, has not taken the next one
            standing = Standing(standing.ruling)
        posts = [
            *compose.judged(self.task, dossier, decision, standing, self.now()),
            *(self._buttons(dossier, counting) if decision is None else []),
            *self._explained(dossier, ignored),
        ]
        await self.ledger.conclude_dossier(dossier, decision, standing, posts, self.now())
        _tell(dossier, decision, standing)

    async def _heard(self, dossier: Dossier) -> tuple[list[Saying], list[Saying]]:
        """What the standing reactions say: by people who may say it, and by others."""
        said = [saying for r in dossier.standing if (saying := read(self.task, self.vocabulary, r)) is not None]
        may = await asyncio.gather(*(self._may(dossier, saying) for saying in said))
        counting = [saying for saying, allowed in zip(said, may, strict=True) if allowed]
        return counting, [saying for saying, allowed in zip(said, may, strict=True) if not allowed]

    async def _may(self, dossier: Dossier, saying: Saying) -> bool:
        reaction = saying.reaction
        platform = self.platforms.get(reaction.actor.platform)
        team, room = where(self.task, dossier, reaction)
        if platform is None:
            return False
        if saying.corrects:
            return await platform.may_correct(reaction.actor, self.task.label(team), room)
        return await platform.may_handle(reaction.actor, room)

    def _consequence(self, dossier: Dossier, ruling: Ruling | None) -> Decision | None:
        """The decision that follows; None when the conversation is already where it belongs."""
        label = ruling.label if ruling else dossier.first.label
        undecided = dossier.conversation.label is None
        if label == dossier.conversation.label or (undecided and ruling is None) or _in_vain(dossier, ruling):
            return None
        if ruling is None:
            return replace(dossier.first, reason=Reason.WITHDRAWN, candidates=())
        return Decision(self.task.name, label, Author.LEAD, Reason.CORRECTED, actor=ruling.lead.key)

    def _buttons(self, dossier: Dossier, counting: Sequence[Saying]) -> list[Post]:
        """Leads who say that the team is wrong are asked for the right one; nobody is, once nobody says so."""
        if wrong_now(dossier, counting):
            return compose.wrong_team(self.task, dossier)
        if any(saying.act is Act.WRONG for saying in counting) or dossier.conversation.label is None:
            return []
        return compose.unasked(dossier, dossier.conversation.label)

    def _explained(self, dossier: Dossier, ignored: Sequence[Saying]) -> list[Post]:
        """Who tried to correct and may not is told why nothing happened, where nobody else sees it."""
        return [
            compose.no_lead(where(self.task, dossier, saying.reaction)[1], saying.reaction.actor)
            for saying in unheard(dossier, ignored)
            if (platform := self.platforms.get(saying.reaction.actor.platform)) is not None and platform.whispers
        ]


def _in_vain(dossier: Dossier, ruling: Ruling | None) -> bool:
    """The team that leads named cannot be reached: it is tried again only when one of them says it anew."""
    if dossier.card is None or dossier.card.card.reason != Reason.UNDELIVERABLE or ruling is None:
        return False
    return not any((r.actor, r.at) == (ruling.lead, ruling.at) for r in dossier.fresh)


def _tell(dossier: Dossier, decision: Decision | None, standing: Standing) -> None:
    log.info(
        "corrected" if decision else "reactions looked at",
        extra={
            "conversation": dossier.conversation.id,
            "label": decision.label if decision else dossier.conversation.label,
            "taken": standing.taken_by is not None,
            "done": standing.done,
            "disputed": standing.ruling.disputed if standing.ruling else False,
        },
    )
