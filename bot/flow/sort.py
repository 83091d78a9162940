"""Step 2: What has no decision yet is classified, decided, and answered."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import compose
from bot.domain.conversations import Case, Pressed
from bot.domain.decisions import Author, Decision, Reason, decide, fallback
from bot.domain.messages import has_words, joined
from bot.domain.ports import Ledger
from bot.domain.posts import OTHER
from bot.domain.tasks import Task
from bot.flow.classify import Classifier, Considered

log = logging.getLogger(__name__)

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Sorter:
    """Finds conversations that need a decision and gives them one."""

    task: Task
    ledger: Ledger
    classifier: Classifier
    settle: timedelta
    patience: timedelta
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Decide what is ripe; how many conversations were looked at. Safe to run in any number of processes."""
        cases = await self.ledger.claim_cases(self.now(), self.settle, self.patience, _AT_ONCE)
        await self._sort(cases)
        return len(cases)

    async def choose(self) -> int:
        """Do what buttons that were pressed ask for; how many there were. Safe as `step` is."""
        presses = await self.ledger.claim_presses(self.now(), _AT_ONCE)
        await asyncio.gather(*(self._choose(pressed) for pressed in presses))
        return len(presses)

    async def _sort(self, cases: Sequence[Case]) -> None:
        texts = {case.conversation.id: joined([message.text for message in case.messages]) for case in cases}
        speaking = [c for c in cases if has_words(texts[c.conversation.id]) and not c.unanswered]
        for case in cases:
            text = texts[case.conversation.id]
            if case.unanswered:
                await self._hand_over(case, text, fallback(self.task, Reason.NO_ANSWER), None)
            elif case not in speaking:
                await self.ledger.ask_for_words(case, compose.words_please(case))
        if speaking:
            query = await self.classifier.query(self.task)
            considered = await self.classifier.consider(query, [texts[c.conversation.id] for c in speaking])
            await asyncio.gather(*(self._decide(*pair) for pair in zip(speaking, considered, strict=True)))

    async def _decide(self, case: Case, known: Considered) -> None:
        may_ask = not case.conversation.asked
        decision = decide(self.task, known.heard, known.found, may_ask)
        await self._hand_over(case, known.text, decision, known)

    async def _hand_over(self, case: Case, text: str, decision: Decision, known: Considered | None) -> None:
        if decision.candidates:
            posts = compose.asked(case, decision)
        else:
            posts = compose.routed(self.task, case, decision, text)
        if await self.ledger.decide(case, decision, posts, text, known.vector if known else None):
            _tell(case.conversation.id, decision)

    async def _choose(self, pressed: Pressed) -> None:
        decision = self._choice(pressed)
        posts = []
        if decision is not None:
            text = joined([message.text for message in pressed.messages])
            posts = compose.chosen(self.task, pressed, decision, text)
            _tell(pressed.conversation.id, decision)
        await self.ledger.conclude_press(pressed, decision, posts, self.now())

    def _choice(self, pressed: Pressed) -> Decision | None:
        """What the press decides; None when it decides nothing: not the asker's, too late, or forged."""
        asker, actor = pressed.conversation.person, pressed.press.actor
        if (asker.platform, asker.id) != (actor.platform, actor.id) or pressed.asked.answered is not None:
            return None
        author = f"{actor.platform}:{actor.id}"
        if pressed.press.value == OTHER:
            # Not the person's label: "none of these" says nothing about what it is, so nothing must learn from it.
            return Decision(self.task.name, self.task.fallback, Author.FALLBACK, Reason.CHOSEN, actor=author)
        offered = dict(enumerate(pressed.asked.candidates))
        label = offered.get(int(pressed.press.value)) if pressed.press.value.isdecimal() else None
        if label not in self.task.names:
            return None
        return Decision(self.task.name, label, Author.PERSON, Reason.CHOSEN, actor=author)


def _tell(conversation: int, decision: Decision) -> None:
    log.info(
        "sorted",
        extra={
            "conversation": conversation,
            "label": decision.label,
            "by": decision.by.value,
            "reason": decision.reason.value,
            "adapter": decision.adapter,
            "asks": bool(decision.candidates),
        },
    )
