"""Whose opinions a decision rests on: the model's, and the memory's."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.decisions import Author, NoPrediction, Opinion, Reason, calibrated
from bot.domain.errors import NotTrained, Refused, Unreachable
from bot.domain.memory_vote import memory_opinion
from bot.domain.model_ports import Asked, Memory, Predictor, Query, Voice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelVoice:
    """The model: a calibrated distribution over the labels of the task."""

    predictor: Predictor

    async def opinions(self, asked: Asked) -> Sequence[Opinion | NoPrediction]:
        """See `model_ports.Voice`."""
        try:
            return await self.predict(asked.query, asked.texts)
        except Unreachable as error:
            log.warning("model down", extra={"task": asked.query.task.name, "problem": str(error)})
            return [NoPrediction(Reason.MODEL_DOWN)] * len(asked.texts)
        except NotTrained:
            return [NoPrediction(Reason.NOT_TRAINED)] * len(asked.texts)
        except Refused as error:
            adapter = asked.query.adapter.name if asked.query.adapter else None
            log.error("model cannot serve", extra={"adapter": adapter, "problem": str(error)})
            return [NoPrediction(Reason.MODEL_DOWN)] * len(asked.texts)

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Opinion]:
        """Calibrated opinions. Raises Unreachable or Refused as `model_ports.Predictor` does."""
        raw = await self.predictor.predict(query, texts)
        temperature = query.adapter.temperature if query.adapter else None
        return [
            Opinion(
                Author.MODEL,
                said.probabilities if temperature is None else calibrated(said.probabilities, temperature),
                adapter=said.adapter,
            )
            for said in raw
        ]


@dataclass(frozen=True, slots=True)
class MemoryVoice:
    """The memory: what settled texts near this one say."""

    memory: Memory

    async def opinions(self, asked: Asked) -> Sequence[Opinion | NoPrediction]:
        """See `model_ports.Voice`."""
        known = [(text, v) for text, v in zip(asked.texts, await asked.vectors(), strict=True) if v is not None]
        texts, vectors = [text for text, _ in known], [vector for _, vector in known]
        found = iter(await self.memory.nearest_many(asked.query.task, vectors, texts, asked.leave_out_itself))
        return [NoPrediction() if v is None else memory_opinion(next(found)) for v in await asked.vectors()]


_: tuple[type[Voice], ...] = (ModelVoice, MemoryVoice)
