"""Step 4: A lead's emoji moves the conversation, teaches the memory, and is undone by taking it away.

An agent's emoji says that somebody has taken the request, or that it is done.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from bot.domain import compose, question_rules
from bot.domain.conversations import CardState, LookedUp, PendingReactions
from bot.domain.decisions import Decision
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change, Ledger
from bot.domain.ports import Platform
from bot.domain.posts import Post
from bot.domain.questions import alerts_now, with_answers
from bot.domain.reaction_rules import Act, Statement, card_state, decision_now, unheard, where, wrong_now
from bot.domain.tasks import Task, Vocabulary
from bot.flow.classify import Classifier
from bot.flow.lookups import AGAIN_AFTER, UNKNOWN_FOR, looked_up
from bot.flow.step import Step

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Corrector(Step[PendingReactions]):
    """Turns the reactions that stand on a conversation's cards into the ruling and state that they add up to.

    It reads the whole standing state, never a single event, so repeats and any order of arrival end the same.
    """

    name: ClassVar[str] = "correct"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.REACTION, Change.FREED})
    task: Task
    vocabulary: Vocabulary
    ledger: Ledger
    platforms: Mapping[str, Platform]
    now: Callable[[], datetime]
    questions: Sequence[Task] = ()
    """The further questions that are asked of every conversation; leads correct their answers, too."""
    classifier: Classifier | None = None
    """Makes the vectors of words that a person changed after the decision, so that the guards can go by them; without
    one, or while its embedder is down, such a correction gets its vector later."""

    async def claim(self, limit: int, at_work: Sequence[PendingReactions] = ()) -> list[PendingReactions]:
        """Claim conversations whose cards got reactions."""
        return await self.ledger.claim_reactions(self.now(), limit)

    def key(self, item: PendingReactions) -> ItemKey:
        return ItemKey(self.name, str(item.conversation.id), item.conversation.id)

    async def handle(self, item: PendingReactions) -> None:
        """Carry out what the standing reactions add up to."""
        await self._judge(item)

    async def _judge(self, pending: PendingReactions) -> None:
        counting, ignored, known = await self._heard(pending)
        pending = await self._with_vectors(pending, counting)
        standing = card_state(pending, counting)
        decision = decision_now(self.task, pending, standing.lead_label)
        if decision is not None:
            # Whoever took the card that is left behind, or marked it done, has not taken the next one
            standing = CardState(standing.lead_label)
        team = pending.conversation.label if decision is None else decision.label
        pending = question_rules.of_its_team(self.questions, pending, team)
        standing, answers = question_rules.concluded(self.questions, pending, standing, counting, team)
        posts = [
            *with_answers(compose.judged(self.task, pending, decision, standing, self.now()), pending.card, answers),
            *(self._buttons(pending, counting) if decision is None else []),
            *question_rules.wrong_answers(self.questions, pending, counting),
            *alerts_now(pending.card, pending.alerts, answers, team or ""),
            *self._explained(pending, ignored),
        ]
        await self.ledger.conclude_reactions(pending, decision, standing, posts, self.now(), known)
        _tell(pending, decision, standing)

    async def _with_vectors(self, pending: PendingReactions, counting: Sequence[Statement]) -> PendingReactions:
        """The reactions with the vectors of words that the person changed, where a lead rules on them."""
        words = pending.reworded
        if self.classifier is None or not words or not any(one.corrects for one in counting):
            return pending
        made = zip(words, await self.classifier.embedding(words), strict=True)
        return replace(pending, vectors={text: vector for text, vector in made if vector is not None})

    async def _heard(self, pending: PendingReactions) -> tuple[list[Statement], list[Statement], LookedUp]:
        """The statements of people who may make them, those of others, and what looking up their actors gave.

        An actor who cannot be looked up delays nobody else. Until the look-up works, the earlier answer counts.
        """
        read = question_rules.read
        every = [read(self.task, self.questions, self.vocabulary, reaction) for reaction in pending.standing]
        said = [saying for saying in every if saying is not None]
        found = list(zip(said, await asyncio.gather(*(self._may(pending, one) for one in said)), strict=True))
        now = self.now()
        unknown = frozenset(one.reaction for one, may in found if may is None and _is_young(pending, one, now))
        known = {one.reaction: may for one, may in found if may is not None}
        counting = [one for one, may in found if may]
        ignored = [one for one, may in found if not may and one.reaction not in unknown]
        return counting, ignored, LookedUp(known, unknown, now + AGAIN_AFTER)

    async def _may(self, pending: PendingReactions, saying: Statement) -> bool | None:
        """Whether the actor may say this; None: the look-up fails now, and there is no earlier answer."""
        found = await looked_up(self._asked(pending, saying), saying.reaction.actor.platform)
        return saying.reaction.counted if found is None else found

    async def _asked(self, pending: PendingReactions, saying: Statement) -> bool:
        reaction = saying.reaction
        platform = self.platforms.get(reaction.actor.platform)
        team, room = where(self.task, pending, reaction)
        if platform is None:
            return False
        if saying.corrects:
            return await platform.may_correct(reaction.actor, self.task.label(team), room)
        return await platform.may_handle(reaction.actor, room)

    def _buttons(self, pending: PendingReactions, counting: Sequence[Statement]) -> list[Post]:
        """Ask leads who say that the team is wrong for the right one; withdraw the question once nobody says so."""
        if wrong_now(pending, counting):
            return compose.wrong_team(self.task, pending)
        if any(saying.act is Act.WRONG for saying in counting) or pending.conversation.label is None:
            return []
        return compose.unasked(pending, pending.conversation.label)

    def _explained(self, pending: PendingReactions, ignored: Sequence[Statement]) -> list[Post]:
        """Tell people who tried to correct and may not why nothing happened, where nobody else sees it."""
        return [
            compose.no_lead(where(self.task, pending, saying.reaction)[1], saying.reaction.actor)
            for saying in unheard(pending, ignored)
            if (platform := self.platforms.get(saying.reaction.actor.platform)) is not None and platform.whispers
        ]


def _is_young(pending: PendingReactions, saying: Statement, now: datetime) -> bool:
    """Whether the reaction is recent enough to look its actor up once more."""
    return saying.reaction in pending.fresh and now - saying.reaction.since < UNKNOWN_FOR


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
