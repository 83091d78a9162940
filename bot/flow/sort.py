"""Step 2: What has no decision yet is classified, decided, and answered."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from bot.domain import compose
from bot.domain.conversations import Decided, UndecidedConversation
from bot.domain.decisions import Decision, Reason, fallback
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change, Ledger
from bot.domain.messages import has_words, joined
from bot.domain.person_pace import PersonPace, Turn
from bot.domain.rich_text import plain
from bot.domain.tasks import Task
from bot.flow.batch import Batch
from bot.flow.classify import BATCH, Classifier, Considered
from bot.flow.step import AT_ONCE, Step

log = logging.getLogger(__name__)

_WRITERS = 4
"""Transactions at a time in which decisions are stored: few of the pool's connections."""


@dataclass(frozen=True, slots=True)
class Sorter(Step[UndecidedConversation]):
    """Finds conversations that need a decision and gives them one."""

    name: ClassVar[str] = "sort"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.MESSAGE, Change.NEXT, Change.FREED})

    task: Task
    ledger: Ledger
    classifier: Classifier
    settle: timedelta
    patience: timedelta
    wordless: str
    """What becomes of an attachment without words: "ask" for some, or "fallback", whose team looks at it."""
    now: Callable[[], datetime]
    pace: PersonPace = field(default_factory=lambda: PersonPace(0))
    """How much of one person is looked at; without limits by default."""
    _texts: Batch[tuple[str, str], Considered] = field(init=False, repr=False, compare=False)
    """Texts that were claimed together, and whose each is, are classified in one round trip."""
    _decisions: Batch[Decided, bool] = field(init=False, repr=False, compare=False)
    """Decisions that were made together are stored in one transaction."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_texts", Batch(self._consider, BATCH, AT_ONCE))
        object.__setattr__(self, "_decisions", Batch(self.ledger.decide_all, AT_ONCE, _WRITERS))

    async def claim(self, limit: int, at_work: Sequence[UndecidedConversation] = ()) -> list[UndecidedConversation]:
        """Conversations without a decision in which nobody wrote for long enough."""
        return await self.ledger.claim_undecided(self.now(), self.settle, self.patience, limit)

    def key(self, item: UndecidedConversation) -> ItemKey:
        return ItemKey(self.name, str(item.conversation.id), item.conversation.id)

    async def handle(self, item: UndecidedConversation) -> None:
        """Decide, or ask for words where there are none. Whose turn is not now is claimed again in a minute."""
        turn = Turn.NOW if item.unanswered else self.pace.turn(item.conversation.person.key, self.now())
        if turn is Turn.LATER:
            log.info("request waits, its person wrote too many", extra={"conversation": item.conversation.id})
            return
        text = joined([message.text for message in item.messages])
        if has_words(text) and not item.unanswered:
            known = await self._texts.one((plain(text), item.conversation.person.key))
            await self._decide(item, text, known, turn is Turn.LAST)
        else:
            await self._without_words(item, text)

    async def _consider(self, asked: Sequence[tuple[str, str]]) -> list[Considered]:
        query = await self.classifier.query(self.task, hurried=True)
        texts, askers = [text for text, _ in asked], [who for _, who in asked]
        return await self.classifier.consider(query, texts, askers=askers)

    async def _without_words(self, case: UndecidedConversation, text: str) -> None:
        if case.unanswered:
            await self._hand_over(case, text, fallback(self.task, Reason.NO_ANSWER), None)
        elif self.wordless == "fallback" and any(message.media for message in case.messages):
            await self._hand_over(case, text, fallback(self.task, Reason.WORDLESS), None)
        else:
            await self.ledger.ask_for_words(case, compose.words_please(case))

    async def _decide(self, case: UndecidedConversation, text: str, known: Considered, many: bool) -> None:
        may_ask = not case.conversation.asked
        decision = known.decided(self.task, may_ask, self.now())
        await self._hand_over(case, text, decision, known, many)

    async def _hand_over(
        self, case: UndecidedConversation, text: str, decision: Decision, known: Considered | None, many: bool = False
    ) -> None:
        if decision.candidates:
            posts = compose.asked(case, decision)
        else:
            leaned_on = compose.remembered(decision, compose.evidence(known.opinions)) if known else None
            words = compose.told(case.messages, text, leaned_on)
            posts = compose.routed(self.task, case, decision, words, self.now(), many)
        vector = known.vector if known else None
        if await self._stored(Decided(case, decision, tuple(posts), plain(text), vector)):
            tell(case.conversation.id, decision)

    async def _stored(self, decided: Decided) -> bool:
        """Whether it was stored, with others if it can be; False: a message came in between, and it comes again."""
        if await self._decisions.one(decided):
            return True
        return await self.ledger.decide(decided.case, decided.decision, decided.posts, decided.text, decided.vector)


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
