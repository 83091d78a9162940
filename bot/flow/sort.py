"""Step 2: Conversations without a decision are classified, decided and answered."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar

from bot.domain import compose
from bot.domain.canary import Canaries, Canary
from bot.domain.consequences import Effects
from bot.domain.conversations import Decided, UndecidedConversation
from bot.domain.decisions import Decision, Reason, fallback
from bot.domain.failures import ItemKey
from bot.domain.ledger import Change, Ledger
from bot.domain.messages import has_words, joined
from bot.domain.model_ports import Query, Vector
from bot.domain.person_pace import PersonPace, Turn
from bot.domain.questions import effects, shown, with_answers
from bot.domain.rich_text import plain
from bot.domain.rules import Rule, Rules, Written, asking, ruled, thanked
from bot.domain.tasks import NOT_A_REQUEST, Task
from bot.domain.thanks import is_thanks
from bot.domain.topics import among_its_topics, standing_of
from bot.flow.batch import Batch
from bot.flow.classify import BATCH, Classifier, Considered
from bot.flow.questions import Questions
from bot.flow.step import AT_ONCE, Step

log = logging.getLogger(__name__)

_WRITERS = 4
"""How many transactions store decisions at a time: few of the pool's connections."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """A text to be decided on, its author and its conversation."""

    text: str
    by: str
    conversation: int


@dataclass(frozen=True, slots=True)
class Sorter(Step[UndecidedConversation]):
    """Finds conversations that need a decision, and decides them."""

    name: ClassVar[str] = "sort"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.MESSAGE, Change.NEXT, Change.FREED})
    ends_alone: ClassVar[bool] = True  # no conversation waits for another's decision

    task: Task
    ledger: Ledger
    classifier: Classifier
    settle: timedelta
    patience: timedelta
    wordless: str
    """What to do with an attachment without words: "ask" the person for some, or "fallback": its team looks at it."""
    now: Callable[[], datetime]
    pace: PersonPace = field(default_factory=lambda: PersonPace(0))
    """How many requests of one person are handled; without limits by default."""
    rules: Rules = field(default_factory=Rules)
    questions: Questions | None = None
    """The further questions that are asked of every conversation; None: there are none."""
    canaries: Canaries | None = None
    """The adapters on trial; None: none ever is."""
    _texts: Batch[_Asking, Considered] = field(init=False, repr=False, compare=False)
    """Texts that were claimed together are classified in one round trip."""
    _decisions: Batch[Decided, bool] = field(init=False, repr=False, compare=False)
    """Decisions that were made together are stored in one transaction."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_texts", Batch(self._consider, BATCH, AT_ONCE, "ask the voices"))
        object.__setattr__(self, "_decisions", Batch(self.ledger.decide_all, AT_ONCE, _WRITERS, "store the decision"))

    async def claim(self, limit: int, at_work: Sequence[UndecidedConversation] = ()) -> list[UndecidedConversation]:
        """Claim conversations without a decision that have been quiet for long enough."""
        return await self.ledger.claim_undecided(self.now(), self.settle, self.patience, limit)

    def key(self, item: UndecidedConversation) -> ItemKey:
        return ItemKey(self.name, str(item.conversation.id), item.conversation.id)

    async def handle(self, item: UndecidedConversation) -> None:
        """Decide, by a rule or by what the voices say, or ask the person for words where there are none.

        A conversation whose turn is later is claimed again in a minute.
        """
        turn = Turn.NOW if item.unanswered else self.pace.turn(item.conversation.person.key, self.now())
        if turn is Turn.LATER:
            log.info("request waits, its person wrote too many", extra={"conversation": item.conversation.id})
            return
        text, many = joined([message.text for message in item.messages]), turn is Turn.LAST
        applying = {} if item.unanswered else await self._applying(item, text)
        rule = applying.get(self.task.name)
        beside = tuple(ruled(one) for task, one in applying.items() if task != self.task.name)
        if rule is not None and rule.then.label == NOT_A_REQUEST and self._effects(beside).hold:
            rule = None  # a team looks at whoever is suspected
        if rule is not None and not rule.then.asks:
            [known] = await self.classifier.unasked([plain(text)])
            await self._hand_over(item, text, replace(ruled(rule), language=known.language), known, beside, many)
        elif has_words(text) and not item.unanswered:
            conversation = item.conversation
            known = await self._texts.one(_Asking(plain(text), conversation.person.key, conversation.id))
            await self._hand_over(item, text, self._decided(item, known, rule, beside), known, beside, many)
        else:
            await self._without_words(item, text, rule, beside)

    async def _applying(self, case: UndecidedConversation, text: str) -> Mapping[str, Rule]:
        """Task -> the rule that answers it for this conversation."""
        if not self.rules.rules:
            return {}
        conversation, words = case.conversation, plain(text)
        [language] = await self.classifier.languages([words]) if self.rules.need_the_language else [None]
        said = Written(words, conversation.person, conversation.place, case.messages[-1].at, language)
        found = self.rules.applying(said, may_ask=not conversation.asked)
        if conversation.wanted:  # somebody said that it is a request
            return {task: rule for task, rule in found.items() if rule.then.label != NOT_A_REQUEST}
        return found

    async def _consider(self, asked: Sequence[_Asking]) -> list[Considered]:
        """Ask the champion; for conversations on a canary's side, ask the canary."""
        texts, askers = [one.text for one in asked], [one.by for one in asked]
        vectors = self.classifier.embedding(texts)  # computed while the serving adapter is looked up
        try:
            query = await self.classifier.query(self.task, hurried=True)
            if self.questions is None or not self.questions.tasks:
                return await self._by_side(query, asked, vectors)
            asking = self.questions.begin(texts, askers, vectors)
            try:
                known = await self._by_side(query, asked, vectors)
                answers = await self.questions.in_time(asking, len(texts))
            finally:
                for one in asking:
                    one.cancel()
            return [replace(one, answers=of) for one, of in zip(known, answers, strict=True)]
        finally:
            vectors.cancel()

    async def _by_side(
        self, query: Query, asked: Sequence[_Asking], vectors: "asyncio.Future[Sequence[Vector | None]]"
    ) -> list[Considered]:
        canary = await self._canary(query)
        if canary is None:
            texts, askers = [one.text for one in asked], [one.by for one in asked]
            return await self.classifier.consider(query, texts, askers=askers, vectors=vectors)
        tried = [n for n, one in enumerate(asked) if canary.serves(one.conversation)]
        others = [n for n in range(len(asked)) if n not in set(tried)]
        found: dict[int, Considered] = {}
        for side, adapter in ((others, query.adapter), (tried, canary.adapter)):
            if side:
                texts, askers = [asked[n].text for n in side], [asked[n].by for n in side]
                own = asyncio.ensure_future(_of(vectors, side))
                by = replace(query, adapter=adapter)
                known = await self.classifier.consider(by, texts, askers=askers, vectors=own)
                found |= dict(zip(side, known, strict=True))
        return [found[n] for n in range(len(asked))]

    async def _canary(self, query: Query) -> Canary | None:
        if self.canaries is None or query.adapter is None or not query.adapter.on_trial:
            return None
        return await self.canaries.canary(self.task.name, self.classifier.base)

    async def _without_words(
        self, case: UndecidedConversation, text: str, rule: Rule | None, beside: tuple[Decision, ...]
    ) -> None:
        """`rule` wants the person asked which team; `beside` is what rules answer to the further questions."""
        decision = self._wordless(case, text, rule, self._effects(_standing(case, beside)).hold)
        if decision is None:
            await self.ledger.ask_for_words(case, compose.words_please(case))
        else:
            await self._hand_over(case, text, decision, None, beside)

    def _wordless(self, case: UndecidedConversation, text: str, rule: Rule | None, suspected: bool) -> Decision | None:
        """The decision on a message without words; None: its person is asked for some."""
        attached = any(message.media for message in case.messages)
        if case.unanswered:
            return fallback(self.task, Reason.NO_ANSWER)
        if case.conversation.wanted:
            return fallback(self.task, Reason.REQUESTED)
        if suspected:  # a suspect is asked nothing, not even for words, and a team looks at mere thanks, too
            return fallback(self.task, Reason.WORDLESS)
        if self.task.knows_no_request and is_thanks(text) and not attached:
            return thanked(self.task)
        if rule is not None:
            return asking(self.task, rule, fallback(self.task, Reason.WORDLESS))
        return fallback(self.task, Reason.WORDLESS) if self.wordless == "fallback" and attached else None

    def _decided(
        self, case: UndecidedConversation, known: Considered, rule: Rule | None, beside: tuple[Decision, ...]
    ) -> Decision:
        """What the voices decide, or the question that a rule wants the person to be asked."""
        # A person suspected by a rule or by the voices is asked nothing: a team gets whatever it is, and looks
        suspected = self._effects(_standing(case, (*beside, *known.answers))).hold
        may_ask = not case.conversation.asked and not suspected
        wanted = case.conversation.wanted or suspected
        task, known = known.as_request(self.task) if wanted else (self.task, known)
        decision = known.decided(task, may_ask, self.now())
        return decision if rule is None or suspected else asking(self.task, rule, decision)

    async def _hand_over(
        self,
        case: UndecidedConversation,
        text: str,
        decision: Decision,
        known: Considered | None,
        beside: tuple[Decision, ...] = (),
        many: bool = False,
    ) -> None:
        if decision.candidates:
            posts = compose.asked(case, decision)
        else:
            leaned_on = compose.remembered(decision, compose.evidence(known.opinions)) if known else None
            words = compose.told(case.messages, text, leaned_on)
            posts = compose.routed(self.task, case, decision, words, self.now(), many)
        vector = known.vector if known else None
        decided = Decided(case, decision, tuple(posts), plain(text), vector)
        if await self._stored(self._with_answers(decided, (*beside, *(known.answers if known else ())))):
            tell(case, decision)

    def _with_answers(self, decided: Decided, said: Sequence[Decision]) -> Decided:
        """The decision with the other answers, also on its card. A question that is still open is asked later."""
        tasks = self.questions.tasks if self.questions is not None else ()
        if not tasks and not said:
            return decided
        team = None if decided.decision.candidates else decided.decision.label
        answers = among_its_topics(tasks, _first_of_each(said), team)
        standing = standing_of(tasks, _standing(decided.case, answers), team)
        posts = with_answers(decided.posts, None, shown(tasks, standing))
        late = self.questions is not None and self.questions.missing(answers, team) and has_words(decided.text)
        return replace(decided, posts=tuple(posts), answers=answers, effects=self._effects(standing), unanswered=late)

    def _effects(self, answers: Sequence[Decision]) -> Effects:
        return Effects() if self.questions is None else effects(self.questions.tasks, answers)

    async def _stored(self, decided: Decided) -> bool:
        """Whether it was stored, with others if possible. False: a message came in between, and it is claimed again."""
        return await self._decisions.one(decided) or await self.ledger.decide_one(decided)


def _first_of_each(answers: Sequence[Decision]) -> tuple[Decision, ...]:
    """The first answer to each question: a rule's goes before the voices'."""
    return tuple({one.task: one for one in reversed(answers)}.values())


def _standing(case: UndecidedConversation, answers: Sequence[Decision]) -> tuple[Decision, ...]:
    """These answers and, for questions that they leave open, those from before it was made a request.

    Whoever was suspected then, and became a request for that very reason, is so still while the voices are late.
    """
    return _first_of_each((*answers, *case.answers))


async def _of(vectors: "asyncio.Future[Sequence[Vector | None]]", which: Sequence[int]) -> Sequence[Vector | None]:
    every = await asyncio.shield(vectors)
    return [every[n] for n in which]


def tell(case: UndecidedConversation, decision: Decision) -> None:
    """Log what was decided and why, without a word of what the request is about.

    It bears the name of the newest message, which was logged as "received": so the two log lines can be joined.
    """
    ref = case.messages[-1].ref
    log.info(
        "sorted",
        extra={
            "conversation": case.conversation.id,
            "chat": ref.chat,
            "ref": ref.id,
            "label": decision.label,
            "by": decision.by.value,
            "reason": decision.reason.value,
            "adapter": decision.adapter,
            "rule": decision.rule or None,
            "asks": bool(decision.candidates),
        },
    )
