"""The serving path: text -> what every voice says of it. Sorting, evaluating and judging all go through here."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.decisions import NoPrediction, Opinion, Reason, missing
from bot.domain.errors import Unreachable
from bot.domain.model_ports import Asked, Embedder, ExampleVoices, Memory, Predictor, Query, Registry, Vector, Voice
from bot.domain.tasks import Task
from bot.flow.voices import MemoryVoice, ModelVoice, PooledVoice

log = logging.getLogger(__name__)

BATCH = 64
"""Texts of one round trip; `route --file` and scoring send as many at a time."""


@dataclass(frozen=True, slots=True)
class Considered:
    """Everything a decision on one text rests on; `domain.decisions.decide` turns it into one."""

    text: str
    opinions: tuple[Opinion | NoPrediction, ...]
    """One of each voice, the model's first."""
    vector: Vector | None
    """None when the embedder could not be asked."""

    @property
    def model(self) -> Opinion | NoPrediction:
        """What the model says, with the voices beside it; why it does not, where it is silent."""
        reason = missing(self.opinions[0])
        return self.opinions[0] if reason is None else NoPrediction(reason)

    @property
    def silent(self) -> bool:
        """Whether a voice could not be asked though there is one. A task without a model yet has one voice fewer."""
        silent = any(isinstance(o, NoPrediction) and o.reason is not Reason.NOT_TRAINED for o in self.opinions)
        return silent or any(missing(o) not in (None, Reason.NOT_TRAINED) for o in self.opinions)


@dataclass(frozen=True, slots=True)
class Classifier:
    """Asks every voice about texts."""

    predictor: Predictor
    embedder: Embedder
    memory: Memory
    registry: Registry
    base: str
    others: tuple[Voice, ...] = ()
    """Voices besides the model's and the memory's."""
    fitted: ExampleVoices | None = None
    """What speaks with the model, and for it where it is silent; None: nothing."""
    deadline: float = 3.0
    """Seconds that somebody in a chat waits for the model before the other voices decide."""

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Everybody who is asked, the model first; the memory last, since it is the one that knows of corrections."""
        model = ModelVoice(self.predictor)
        first = model if self.fitted is None else PooledVoice(model, self.fitted)
        return (first, *self.others, MemoryVoice(self.memory, self.fitted))

    async def query(self, task: Task, hurried: bool = False) -> Query:
        """The question as the champion is asked it now. `hurried`: somebody in a chat waits for the answer."""
        codes = await self.registry.codes(task, self.base, self.predictor.alphabet())
        champion = await self.registry.champion(task.name, self.base)
        return Query(task, codes, champion, self.deadline if hurried else None)

    async def consider(self, query: Query, texts: Sequence[str], leave_out_itself: bool = False) -> list[Considered]:
        """What is known about each text. Never raises for a model or embedder that is down: it says so in the result.

        `leave_out_itself` hides remembered examples with the same text, for honest scores on held-out examples.
        """
        embedding = asyncio.ensure_future(self._embed(texts))

        async def vectors() -> Sequence[Vector | None]:
            return await asyncio.shield(embedding)  # a voice that gives up waiting leaves it to the others

        asked = Asked(query, texts, vectors, leave_out_itself)
        try:
            said = await asyncio.gather(*(voice.opinions(asked) for voice in self.voices))
            rows = zip(texts, zip(*said, strict=True), await embedding, strict=True)
            return [Considered(text, opinions, vector) for text, opinions, vector in rows]
        finally:
            embedding.cancel()

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Opinion]:
        """The model's calibrated opinions. Raises Unreachable or Refused as `model_ports.Predictor` does."""
        return await ModelVoice(self.predictor).predict(query, texts)

    async def _embed(self, texts: Sequence[str]) -> Sequence[Vector | None]:
        try:
            return await self.embedder.embed(texts)
        except Unreachable as error:
            log.warning("embedder down", extra={"problem": str(error)})
            return [None] * len(texts)
