"""Step 2: What has no decision yet is classified, decided, and answered."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import compose
from bot.domain.conversations import UndecidedConversation
from bot.domain.decisions import Decision, Reason, decide, fallback
from bot.domain.messages import has_words, joined
from bot.domain.ports import Ledger
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
    wordless: str
    """What becomes of an attachment without words: "ask" for some, or "fallback", whose team looks at it."""
    now: Callable[[], datetime]

    async def step(self) -> int:
        """Decide what is ripe; how many conversations were looked at. Safe to run in any number of processes."""
        cases = await self.ledger.claim_undecided(self.now(), self.settle, self.patience, _AT_ONCE)
        await self._sort(cases)
        return len(cases)

    async def _sort(self, cases: Sequence[UndecidedConversation]) -> None:
        texts = {case.conversation.id: joined([message.text for message in case.messages]) for case in cases}
        speaking = [c for c in cases if has_words(texts[c.conversation.id]) and not c.unanswered]
        for case in cases:
            if case not in speaking:
                await self._without_words(case, texts[case.conversation.id])
        if speaking:
            query = await self.classifier.query(self.task, hurried=True)
            considered = await self.classifier.consider(query, [texts[c.conversation.id] for c in speaking])
            await asyncio.gather(*(self._decide(*pair) for pair in zip(speaking, considered, strict=True)))

    async def _without_words(self, case: UndecidedConversation, text: str) -> None:
        if case.unanswered:
            await self._hand_over(case, text, fallback(self.task, Reason.NO_ANSWER), None)
        elif self.wordless == "fallback" and any(message.media for message in case.messages):
            await self._hand_over(case, text, fallback(self.task, Reason.WORDLESS), None)
        else:
            await self.ledger.ask_for_words(case, compose.words_please(case))

    async def _decide(self, case: UndecidedConversation, known: Considered) -> None:
        may_ask = not case.conversation.asked
        decision = decide(self.task, known.opinions, may_ask)
        await self._hand_over(case, known.text, decision, known)

    async def _hand_over(
        self, case: UndecidedConversation, text: str, decision: Decision, known: Considered | None
    ) -> None:
        if decision.candidates:
            posts = compose.asked(case, decision)
        else:
            leaned_on = compose.remembered(decision, compose.evidence(known.opinions)) if known else None
            words = compose.told(case.messages, text, leaned_on)
            posts = compose.routed(self.task, case, decision, words, self.now())
        if await self.ledger.decide(case, decision, posts, text, known.vector if known else None):
            tell(case.conversation.id, decision)


def tell(conversation: int, decision: Decision) -> None:
    """Write to the log what was decided and why, without a word of what it is about."""
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
