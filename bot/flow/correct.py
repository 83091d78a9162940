"""Step 4: A lead's emoji moves the conversation, teaches the memory, and is undone by taking it away.

An agent's emoji says that somebody is on it, or that it is done.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from bot.domain import compose
from bot.domain.conversations import CardState, LeadLabel, PendingReactions
from bot.domain.decisions import Author, Decision, Reason
from bot.domain.failures import ItemKey
from bot.domain.ports import Change, Ledger, Platform
from bot.domain.posts import Post
from bot.domain.reaction_rules import Act, Statement, card_state, read, unheard, where, wrong_now
from bot.domain.tasks import Task, Vocabulary
from bot.flow.step import Step

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Corrector(Step[PendingReactions]):
    """Turns the reactions that stand on a conversation's cards into what they amount to.

    It looks at the whole standing state, never at a single event, so repeats and any order of arrival end the same.
    """

    name: ClassVar[str] = "correct"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.REACTION, Change.FREED})
    task: Task
    vocabulary: Vocabulary
    ledger: Ledger
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]

    async def claim(self, limit: int, at_work: Sequence[PendingReactions] = ()) -> list[PendingReactions]:
        """Conversations whose cards got reactions."""
        return await self.ledger.claim_reactions(self.now(), limit)

    def key(self, item: PendingReactions) -> ItemKey:
        return ItemKey(self.name, str(item.conversation.id), item.conversation.id)

    async def handle(self, item: PendingReactions) -> None:
        """Do what the reactions amount to."""
        await self._judge(item)

    async def _judge(self, pending: PendingReactions) -> None:
        counting, ignored = await self._heard(pending)
        standing = card_state(pending, counting)
        decision = self._consequence(pending, standing.lead_label)
        if decision is not None:
            # Whoever took the card that is left, or had done with it, has not taken the next one
            standing = CardState(standing.lead_label)
        posts = [
            *compose.judged(self.task, pending, decision, standing, self.now()),
            *(self._buttons(pending, counting) if decision is None else []),
            *self._explained(pending, ignored),
        ]
        await self.ledger.conclude_reactions(pending, decision, standing, posts, self.now())
        _tell(pending, decision, standing)

    async def _heard(self, pending: PendingReactions) -> tuple[list[Statement], list[Statement]]:
        """What the standing reactions say: by people who may say it, and by others."""
        said = [saying for r in pending.standing if (saying := read(self.task, self.vocabulary, r)) is not None]
        may = await asyncio.gather(*(self._may(pending, saying) for saying in said))
        counting = [saying for saying, allowed in zip(said, may, strict=True) if allowed]
        return counting, [saying for saying, allowed in zip(said, may, strict=True) if not allowed]

    async def _may(self, pending: PendingReactions, saying: Statement) -> bool:
        reaction = saying.reaction
        platform = self.platforms.get(reaction.actor.platform)
        team, room = where(self.task, pending, reaction)
        if platform is None:
            return False
        if saying.corrects:
            return await platform.may_correct(reaction.actor, self.task.label(team), room)
        return await platform.may_handle(reaction.actor, room)

    def _consequence(self, pending: PendingReactions, lead_label: LeadLabel | None) -> Decision | None:
        """The decision that follows; None when the conversation is already where it belongs."""
        label = lead_label.label if lead_label else pending.first.label
        undecided = pending.conversation.label is None
        if label == pending.conversation.label or (undecided and lead_label is None) or _in_vain(pending, lead_label):
            return None
        if lead_label is None:
            back = label if label in self.task.names else self.task.fallback  # its team may have left the settings
            if back == pending.conversation.label:
                return None
            return replace(pending.first, label=back, reason=Reason.WITHDRAWN, candidates=())
        return Decision(self.task.name, label, Author.LEAD, Reason.CORRECTED, actor=lead_label.lead.key)

    def _buttons(self, pending: PendingReactions, counting: Sequence[Statement]) -> list[Post]:
        """Leads who say that the team is wrong are asked for the right one; nobody is, once nobody says so."""
        if wrong_now(pending, counting):
            return compose.wrong_team(self.task, pending)
        if any(saying.act is Act.WRONG for saying in counting) or pending.conversation.label is None:
            return []
        return compose.unasked(pending, pending.conversation.label)

    def _explained(self, pending: PendingReactions, ignored: Sequence[Statement]) -> list[Post]:
        """Who tried to correct and may not is told why nothing happened, where nobody else sees it."""
        return [
            compose.no_lead(where(self.task, pending, saying.reaction)[1], saying.reaction.actor)
            for saying in unheard(pending, ignored)
            if (platform := self.platforms.get(saying.reaction.actor.platform)) is not None and platform.whispers
        ]


def _in_vain(pending: PendingReactions, lead_label: LeadLabel | None) -> bool:
    """The team that leads named cannot be reached: it is tried again only when one of them says it anew."""
    if pending.card is None or pending.card.card.reason != Reason.UNDELIVERABLE or lead_label is None:
        return False
    return not any((r.actor, r.at) == (lead_label.lead, lead_label.at) for r in pending.fresh)


def _tell(pending: PendingReactions, decision: Decision | None, standing: CardState) -> None:
    log.info(
        "corrected" if decision else "reactions looked at",
        extra={
            "conversation": pending.conversation.id,
            "label": decision.label if decision else pending.conversation.label,
            "taken": standing.taken_by is not None,
            "done": standing.done,
            "disputed": standing.lead_label.disputed if standing.lead_label else False,
        },
    )
