"""Asks a hosted model about every message: within its budget, again after failures, and nothing twice."""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.domain.endpoints import Endpoint
from bot.domain.errors import Refused, Unreachable
from bot.domain.example_files.labels import LabelReader
from bot.domain.few_shot import Variant
from bot.domain.learning import Example, text_key
from bot.domain.plural import counted
from bot.domain.predictions import NO_ANSWER
from bot.domain.prompted import AnswerCache, ChatModel, Fault, MessageRefused, Reply, Told, Unheard, label_in
from bot.domain.prompted_arms import Asking, PromptedArm
from bot.domain.token_prices import Budget, TokenPrice
from bot.domain.worth import money

log = logging.getLogger(__name__)

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds between the attempts for one message."""
LONGEST_WAIT = 120.0
"""Seconds. An endpoint that asks us to come back later than that is given up."""
_FRAME = 64
"""The most tokens that an endpoint's own chat template adds."""
_REFUSED_FROM_THE_START = 5
"""After so many refusals without an answer the fault is not in the messages."""


@dataclass(frozen=True, slots=True)
class HostedArms:
    """Asks one endpoint, one way of prompting after another."""

    model: ChatModel
    endpoint: Endpoint
    price: TokenPrice
    currency: str
    cache: AnswerCache
    pauses: Sequence[float] = PAUSES

    async def ask(
        self, asking: Asking, ways: Sequence[Variant], budget: Budget, told: Callable[[int], None]
    ) -> list[PromptedArm]:
        """One arm for each way. Answers of earlier comparisons count against the budget but are not asked again."""
        arms = []
        for way in ways:
            run = _Run(self, asking, way, budget, told, LabelReader(asking.task), deque(asking.drawn))
            arms.append(await run.to_end())
        return arms


@dataclass(slots=True)
class _Run:
    """One endpoint asked in one way of prompting."""

    arms: HostedArms
    asking: Asking
    way: Variant
    budget: Budget
    done: Callable[[int], None]
    labels: LabelReader
    waiting: deque[Example]
    told: dict[str, Told] = field(default_factory=dict)
    refused: int = 0
    stopped: str = ""
    failed: bool = False
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def to_end(self) -> PromptedArm:
        self._recall()
        try:
            async with asyncio.TaskGroup() as workers:
                for number in range(self.arms.endpoint.concurrency):
                    workers.create_task(self._work(), name=f"ask {self.arms.endpoint.name} {number}")
        except ExceptionGroup as several:
            raise several.exceptions[0] from several  # all workers fail alike, as on a full disk
        return PromptedArm(self.arms.endpoint.name, self.way, self.told, self._why())

    async def _work(self) -> None:
        while self.waiting and not self.stopped:
            example = self.waiting.popleft()
            shots, prompt, key = self._prompt(example)
            told = await self._insist(prompt, self._worst(prompt), shots)
            if told is None:
                continue
            if told.fault is not Fault.REFUSED:
                self.arms.cache.keep(key, told)
            self._heard(example, told)

    def _recall(self) -> None:
        """Count the answers that were paid for before first, so that the rest gets what is left of the budget."""
        for example in [*self.waiting]:
            _, prompt, key = self._prompt(example)
            known = self.arms.cache.known(key)
            if known is None:
                continue
            cost = self._cost(known, self._worst(prompt))
            if self.budget.over(cost):
                return self._stop(self._spent())
            self.budget.settle(0.0, cost)
            self.waiting.remove(example)
            self._heard(example, known)
        return None

    def _prompt(self, example: Example) -> tuple[int, str, str]:
        """How many examples the prompt shows, its words, and the digest that its answer is kept under."""
        examples = self.asking.shown.of(self.way, text_key(example.text))
        prompt = self.arms.model.prompt(self.asking.task, example.text, examples)
        return len(examples), prompt, digest(self.arms.model.identity, prompt)

    def _worst(self, prompt: str) -> float:
        """The most that a question may cost: no token is shorter than a byte."""
        return self.arms.price.cost(len(prompt.encode()) + _FRAME, self.arms.endpoint.max_tokens)

    def _heard(self, example: Example, told: Told) -> None:
        self.told[text_key(example.text)] = told
        self.done(1)

    async def _insist(self, prompt: str, worst: float, shots: int) -> Told | None:
        """Ask until there is an answer. None: the arm has stopped, because of its budget or because it gave up."""
        problem = ""
        for attempt, pause in enumerate((*self.arms.pauses, 0.0)):
            if not await self._room(worst):
                return None
            cost = 0.0
            try:
                reply = await self.arms.model.ask(prompt)
            except Unheard as error:
                cost, problem, wait = worst, str(error), pause
            except Unreachable as error:
                problem, wait = str(error), max(pause, _seconds(error))
            except MessageRefused as error:
                return self._refused(str(error), shots)
            except Refused as error:
                self._stop(str(error))
                return None
            else:
                told = self._read(reply, shots)
                cost = self._cost(told, worst)
                return told
            finally:
                self._settle(worst, cost)
            if wait > LONGEST_WAIT:
                self._stop(f"{problem}, and is to be asked again in {wait:.0f} s")
                return None
            if attempt < len(self.arms.pauses):
                self._log(problem, wait)
                await asyncio.sleep(wait)
        self._stop(f"{problem}, {counted(len(self.arms.pauses) + 1, 'time')},")
        return None

    async def _room(self, worst: float) -> bool:
        """Whether the budget has room for one more question. Waits while others on their way may turn out cheaper."""
        while not self.failed and not self.budget.reserve(worst):
            if self.budget.over(worst):
                self.stopped = self.stopped or self._spent()
                return False
            self.settled.clear()
            await self.settled.wait()
        return not self.failed

    def _settle(self, worst: float, cost: float) -> None:
        self.budget.settle(worst, cost)
        self.settled.set()

    def _cost(self, told: Told, worst: float) -> float:
        """What the answer cost; where the endpoint counts no tokens, the most that it can have cost."""
        if told.tokens_in is None or told.tokens_out is None:
            return worst
        return self.arms.price.cost(told.tokens_in, told.tokens_out)

    def _read(self, reply: Reply, shots: int) -> Told:
        label = label_in(reply.content, self.labels)
        fault = None if label != NO_ANSWER else Fault.CUT if reply.cut else Fault.PROSE
        sure = {label: reply.probability} if fault is None and reply.probability is not None else {}
        return Told(label, sure, reply.tokens_in, reply.tokens_out, reply.milliseconds, fault, shots)

    def _refused(self, problem: str, shots: int) -> Told | None:
        self.refused += 1
        if self.refused >= _REFUSED_FROM_THE_START and self.refused > len(self.told):
            self._stop(problem)
        return Told(NO_ANSWER, {}, 0, 0, None, Fault.REFUSED, shots)

    def _spent(self) -> str:
        limit, spent = (money(amount, self.arms.currency) for amount in (self.budget.limit, self.budget.spent))
        if self.budget.spent > self.budget.limit:
            return f"stopped at {limit} (its answers had cost {spent} by then: more than max_tokens allows)"
        return f"stopped at {limit}"

    def _stop(self, why: str) -> None:
        """Stop for good, also those that wait for room in the budget."""
        self.stopped, self.failed = self.stopped or why, True
        self.settled.set()

    def _why(self) -> str:
        """The reason for stopping, as the arm's row shows it."""
        if not self.stopped:
            return ""
        answered = any(told.answered for told in self.told.values())
        after = f"{self.stopped} after {len(self.told)} of {len(self.asking.judging)}"
        return f"{after}; compared on these" if answered else after

    def _log(self, problem: str, wait: float) -> None:
        about = {"endpoint": self.arms.endpoint.name, "problem": problem, "seconds": wait}
        log.info("endpoint did not answer, asking again", extra=about)


def digest(identity: str, prompt: str) -> str:
    """The name that an answer is kept under."""
    return hashlib.sha256(f"{identity}\0{prompt}".encode("utf-8", "replace")).hexdigest()


def _seconds(error: Unreachable) -> float:
    return error.retry_after.total_seconds() if error.retry_after else 0.0
