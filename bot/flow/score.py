"""How well the whole system, every voice included, answers labelled examples: the basis of evaluations and verdicts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from bot.domain.decisions import Decision, Opinion, Prediction
from bot.domain.errors import NotTrained, Unreachable
from bot.domain.learning import Example, Score, text_key
from bot.domain.model_ports import Embedder, Predictor, Query, Vector
from bot.flow.classify import BATCH, Classifier, Considered

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered:
    """A labelled example, and what the whole system decides on its text."""

    example: Example
    decision: Decision
    nearest: float | None
    """Similarity of the nearest known text; None: nothing is known, or it was not looked up."""
    vector: Vector | None = None
    """None: the embedder could not be asked."""

    @property
    def score(self) -> Score:
        """The part of it that a verdict needs."""
        example, made = self.example, self.decision
        key = text_key(example.text)
        return Score(key, example.source, example.label, made.label, made.probabilities, made.language)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Stands for a model that is left out: it answers as if it was never trained for any task."""

    left_out: Predictor

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """See `model_ports.Predictor`."""
        raise NotTrained("the model is left out of this evaluation")

    def reads(self, text: str) -> bool:
        return self.left_out.reads(text)

    def crosses(self) -> bool:
        return self.left_out.crosses()

    def alphabet(self) -> Sequence[str]:
        return self.left_out.alphabet()


@dataclass(frozen=True, slots=True)
class EmbeddedBefore:
    """An embedder that embeds only texts without a known vector."""

    embedder: Embedder
    known: Mapping[str, Vector]
    """Text -> vector."""

    @property
    def name(self) -> str:
        return self.embedder.name

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """See `model_ports.Embedder`."""
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        made = dict(zip(new, await self.embedder.embed(new), strict=True)) if new else {}
        return [self.known[text] if text in self.known else made[text] for text in texts]


@dataclass(frozen=True, slots=True)
class Scorer:
    """Asks about labelled examples. Silence is no answer: either every example has a score, or none has."""

    classifier: Classifier
    pauses: tuple[float, ...] = (1, 2, 5, 10, 20, 40, 60, 60)
    """Seconds between the questions to a server that fell silent, where the caller is patient. An embedded server that
    died is back within a minute."""

    async def score(
        self,
        query: Query,
        examples: Sequence[Example],
        told: Callable[[int], None] | None = None,
        patient: bool = False,
    ) -> list[Score]:
        """The scores of the answers, in order; see `answers`."""
        return [answered.score for answered in await self.answers(query, examples, told, patient)]

    async def answers(
        self,
        query: Query,
        examples: Sequence[Example],
        told: Callable[[int], None] | None = None,
        patient: bool = False,
    ) -> list[Answered]:
        """How each example is answered, itself hidden from the memory and the fitted voices, in order.

        `told` is called after each batch with how many more are scored. Raises Unreachable when a voice is silent: what
        the others say without it is no score. `patient` asks again for a while first.
        """
        found: list[Answered] = []
        for batch in batches(examples):
            ask = partial(self._answers, query, batch)
            found += await (self.insist(ask) if patient else ask())
            if told:
                told(len(batch))
        return found

    def without_model(self, answered: Sequence[Answered] = ()) -> "Scorer":
        """The same scorer without the model: the other voices have the weights that they have where there is none.

        Texts that were `answered` with it are not embedded again.
        """
        asked = self.classifier
        known = {one.example.text: one.vector for one in answered if one.vector is not None}
        embedder = EmbeddedBefore(asked.embedder, known)
        return replace(self, classifier=replace(asked, predictor=LeftOut(asked.predictor), embedder=embedder))

    async def _answers(self, query: Query, batch: Sequence[Example]) -> list[Answered]:
        considered = await self.classifier.consider(query, [e.text for e in batch], leave_out_itself=True)
        if any(known.silent for known in considered):
            raise Unreachable(
                "the model or the embedder fell silent while examples were scored, so there are no figures and no "
                "verdict; see that they run (/readyz, var/vllm.log), and do it again"
            )
        return [
            Answered(example, known.decided(query.task, may_ask=True), _nearest(known), known.vector)
            for example, known in zip(batch, considered, strict=True)
        ]

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what `ask` returns; while it raises Unreachable, ask again after each of the pauses."""
        for pause in self.pauses:
            try:
                return await ask()
            except Unreachable as error:
                log.warning("scoring waits for the model", extra={"problem": type(error).__name__, "seconds": pause})
                await asyncio.sleep(pause)
        return await ask()


def _nearest(known: Considered) -> float | None:
    seen = [o.familiarity for o in known.opinions if isinstance(o, Opinion) and o.familiarity is not None]
    return max(seen, default=None)


def batches(examples: Sequence[Example]) -> list[Sequence[Example]]:
    """The examples in order, as many at a time as one question takes."""
    return [examples[start : start + BATCH] for start in range(0, len(examples), BATCH)]


_: tuple[type[Predictor], type[Embedder]] = (LeftOut, EmbeddedBefore)
