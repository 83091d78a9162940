"""The serving path: text -> what the model and the memory say. Sorting, evaluating and judging all go through here."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.decisions import NoPrediction, Prediction, Reason, calibrated
from bot.domain.errors import Refused, Unreachable
from bot.domain.learning import Adapter
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Embedder, Memory, Predictor, Query, Registry, Vector
from bot.domain.tasks import Task

log = logging.getLogger(__name__)

BATCH = 64
"""Texts of one round trip; `route --file` and scoring send as many at a time."""


@dataclass(frozen=True, slots=True)
class Considered:
    """Everything a decision on one text rests on; `domain.decisions.decide` turns it into one."""

    text: str
    heard: Prediction | NoPrediction
    found: Neighbours
    vector: Vector | None
    """None when the embedder could not be asked."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """Asks model and memory about texts."""

    predictor: Predictor
    embedder: Embedder
    memory: Memory
    registry: Registry
    base: str

    async def query(self, task: Task) -> Query:
        """The question as the champion is asked it now."""
        codes = await self.registry.codes(task, self.base, self.predictor.alphabet())
        return Query(task, codes, await self.registry.champion(task.name, self.base))

    async def consider(self, query: Query, texts: Sequence[str], leave_out_itself: bool = False) -> list[Considered]:
        """What is known about each text. Never raises for a model or embedder that is down: it says so in the result.

        `leave_out_itself` hides remembered examples with the same text, for honest scores on held-out examples.
        """
        heard, vectors = await asyncio.gather(self._hear(query, texts), self._embed(texts))
        found = await self._recall(query.task, texts, vectors, leave_out_itself)
        return [Considered(*row) for row in zip(texts, heard, found, vectors, strict=True)]

    async def _recall(
        self, task: Task, texts: Sequence[str], vectors: Sequence[Vector | None], leave_out_itself: bool
    ) -> list[Neighbours]:
        asked = [(n, vector) for n, vector in enumerate(vectors) if vector is not None]
        told = await self.memory.nearest_many(
            task, [vector for _, vector in asked], [texts[n] for n, _ in asked], leave_out_itself
        )
        found = dict(zip((n for n, _ in asked), told, strict=True))
        return [found.get(n, Neighbours()) for n in range(len(texts))]

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        """Calibrated predictions. Raises Unreachable or Refused as `models.Predictor` does."""
        raw = await self.predictor.predict(query, texts)
        return [_tempered(prediction, query.adapter) for prediction in raw]

    async def _hear(self, query: Query, texts: Sequence[str]) -> Sequence[Prediction | NoPrediction]:
        try:
            return await self.predict(query, texts)
        except Unreachable as error:
            log.warning("model down", extra={"task": query.task.name, "problem": str(error)})
            return [NoPrediction(Reason.MODEL_DOWN)] * len(texts)
        except Refused as error:
            if query.adapter is not None:
                log.error("adapter cannot serve", extra={"adapter": query.adapter.name, "problem": str(error)})
                return [NoPrediction(Reason.MODEL_DOWN)] * len(texts)
            return [NoPrediction(Reason.NOT_TRAINED)] * len(texts)

    async def _embed(self, texts: Sequence[str]) -> Sequence[Vector | None]:
        try:
            return await self.embedder.embed(texts)
        except Unreachable as error:
            log.warning("embedder down", extra={"problem": str(error)})
            return [None] * len(texts)


def _tempered(prediction: Prediction, adapter: Adapter | None) -> Prediction:
    if adapter is None:
        return prediction
    return Prediction(calibrated(prediction.probabilities, adapter.temperature), prediction.adapter)
