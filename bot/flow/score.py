"""How well the whole system, every voice included, answers labelled examples; what evaluations and verdicts rest on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bot.domain.errors import Unreachable
from bot.domain.learning import Example, Score, text_key
from bot.domain.model_ports import Query
from bot.flow.classify import BATCH, Classifier

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scorer:
    """Asks about examples whose answer is known. Silence is no answer: there is a score of every example, or none."""

    classifier: Classifier
    pauses: tuple[float, ...] = (1, 2, 5, 10, 20, 40, 60, 60)
    """Seconds between the questions to a server that fell silent, where somebody is patient. An embedded server that
    died is back within a minute."""

    async def score(
        self,
        query: Query,
        examples: Sequence[Example],
        told: Callable[[int], None] | None = None,
        patient: bool = False,
    ) -> list[Score]:
        """How each example is answered, itself hidden from the memory, in order.

        `told` hears after each batch how many more are scored. Raises Unreachable when a voice is silent: what the
        others would have said without it is no score. `patient` asks again for a while first.
        """
        scores: list[Score] = []
        for batch in batches(examples):
            ask = partial(self._score, query, batch)
            scores += await (self.insist(ask) if patient else ask())
            if told:
                told(len(batch))
        return scores

    async def _score(self, query: Query, batch: Sequence[Example]) -> list[Score]:
        considered = await self.classifier.consider(query, [e.text for e in batch], leave_out_itself=True)
        if any(known.silent for known in considered):
            raise Unreachable(
                "the model or the embedder fell silent while examples were scored, so there are no figures and no "
                "verdict; see that they run (/readyz, var/vllm.log), and do it again"
            )
        decisions = [known.decided(query.task, may_ask=True) for known in considered]
        return [
            Score(text_key(e.text), e.source, e.label, made.label, made.probabilities, made.language)
            for e, made in zip(batch, decisions, strict=True)
        ]

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Its answer. Asks again, after each of the pauses, while the other side is unreachable."""
        for pause in self.pauses:
            try:
                return await ask()
            except Unreachable as error:
                log.warning("scoring waits for the model", extra={"problem": type(error).__name__, "seconds": pause})
                await asyncio.sleep(pause)
        return await ask()


def batches(examples: Sequence[Example]) -> list[Sequence[Example]]:
    """In order, as many at a time as one question takes."""
    return [examples[start : start + BATCH] for start in range(0, len(examples), BATCH)]
