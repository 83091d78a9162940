"""The opinions that a decision rests on: the model's with the voices beside it, and the memory's."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.decisions import Author, Heard, NoPrediction, Opinion, Reason, calibrated
from bot.domain.embedders import Scale
from bot.domain.errors import NotTrained, Refused, Unreachable
from bot.domain.learning import Adapter, text_key
from bot.domain.memory_vote import memory_opinion
from bot.domain.mixture import ABROAD, ADAPTER, USUAL, WORDS, Mixture, expected, pooled, untaught
from bot.domain.model_ports import Asked, ExampleVoices, Memory, Predictor, Query, Said, Voice

log = logging.getLogger(__name__)


_TAUGHT = 5
"""With so many examples of a team the voices know it; with fewer its corrections need help."""


@dataclass(frozen=True, slots=True)
class ModelVoice:
    """The model: a calibrated distribution over the labels of the task."""

    predictor: Predictor

    async def opinions(self, asked: Asked) -> Sequence[Opinion | NoPrediction]:
        """See `model_ports.Voice`."""
        try:
            reads = [self.predictor.reads(text) for text in asked.texts]
            known = [text for text, may in zip(asked.texts, reads, strict=True) if may]
            heard = iter(await self.predict(asked.query, known))
            return [next(heard) if may else NoPrediction(Reason.NOT_READ) for may in reads]
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
class PooledVoice:
    """The model and the voices that are fitted on examples as one opinion, each as loud as it has proved to be.

    Where the model is silent the others answer, and the opinion says that it is not the model's. Voices without weight
    are not asked. For a text in a language that no example taught, only the voices that go by its meaning count.
    """

    model: ModelVoice
    fitted: ExampleVoices
    crosses: bool = False
    """Whether the encoder that some voices go by brings languages together."""

    async def opinions(self, asked: Asked) -> Sequence[Opinion | NoPrediction]:
        """See `model_ports.Voice`."""
        mixture = self._mixture(asked.query)
        if self._of([ADAPTER], mixture)[ADAPTER] > 0:
            heard, said = await asyncio.gather(self.model.opinions(asked), self._say(asked, mixture))
            foreign = await self._foreign(asked)
            return [self._pooled(asked.query, mixture, *one) for one in zip(heard, said, foreign, strict=True)]
        said = await self._say(asked, mixture)
        unneeded: Sequence[Opinion | NoPrediction] = [NoPrediction()] * len(said)
        heard = unneeded if all(said) else await self.model.opinions(asked)
        foreign = await self._foreign(asked)
        return [self._pooled(asked.query, mixture, *one) for one in zip(heard, said, foreign, strict=True)]

    async def _foreign(self, asked: Asked) -> Sequence[bool]:
        """Which texts are in a language that no example taught, though the encoder may read it."""
        taught = self.fitted.taught(asked.query.task.name) if self.crosses else {}
        told = await asked.languages() if taught else ()
        return [untaught(code, taught) for code in told] or [False] * len(asked.texts)

    async def _say(self, asked: Asked, mixture: Mixture) -> Sequence[Said]:
        """What the voices say that have a weight with the model or without it."""
        names = list(self.fitted.usual)
        cases = self._of([ADAPTER, *names], mixture), self._of(names, mixture)
        loud = {voice for voice in names if any(weights[voice] > 0 for weights in cases)}
        said = await self.fitted.say(asked.query.task.name, asked.texts, await asked.vectors(), loud)
        return await self._unseen(asked, said, loud) if asked.leave_out_itself else said

    async def _unseen(self, asked: Asked, said: Sequence[Said], loud: Collection[str]) -> Sequence[Said]:
        """What they say, each text that they were fitted on hidden from them: else they would repeat its label."""
        keys = [text_key(text) for text in asked.texts]
        unseen = await asyncio.to_thread(self.fitted.unseen, asked.query.task.name, keys)
        return [
            {voice: row for voice, row in unseen[key].items() if voice in loud} if key in unseen else one
            for key, one in zip(keys, said, strict=True)
        ]

    def _pooled(
        self, query: Query, mixture: Mixture, heard: Opinion | NoPrediction, others: Said, foreign: bool
    ) -> Opinion | NoPrediction:
        adapter, counts = query.adapter, self.fitted.counts(query.task.name)
        new = [name for name in query.task.names if name not in adapter.codes] if adapter is not None else []
        spoken = {voice: expected(row, counts, new) for voice, row in others.items()}
        if isinstance(heard, Opinion):
            spoken[ADAPTER] = _learned(query.adapter, heard.probabilities)
        weights = self._abroad(spoken, mixture) if foreign else {}
        weights = weights or self._of(spoken, mixture)
        spoken = {voice: spoken[voice] for voice in weights}
        mixed = pooled(spoken, weights, query.task.names) if others else None
        if mixed is None:
            return heard
        parts = tuple(_in_short(voice, row, weights[voice]) for voice, row in spoken.items() if weights[voice] > 0)
        if isinstance(heard, Opinion) and weights.get(ADAPTER, 0.0) > 0:
            return replace(heard, probabilities=mixed, parts=parts, proved=mixture.proved, scope=mixture.scope)
        without = heard.reason if isinstance(heard, NoPrediction) else None
        proved = mixture.proved_without
        return Opinion(Author.EXAMPLES, mixed, parts=parts, without=without, proved=proved, reads=WORDS in spoken)

    def _abroad(self, spoken: Collection[str], mixture: Mixture) -> dict[str, float]:
        """The weights in a language that no example taught; empty where no voice that reads it has answered."""
        weights = {voice: weight for voice, weight in ABROAD.items() if voice in spoken}
        if ADAPTER in spoken and self.model.predictor.crosses():
            weights[ADAPTER] = self._of(spoken, mixture)[ADAPTER]
        return weights

    def _of(self, voices: Collection[str], mixture: Mixture) -> dict[str, float]:
        return mixture.of(voices, {**USUAL, **self.fitted.usual})

    def _mixture(self, query: Query) -> Mixture:
        task = query.task.name
        without, proved = self.fitted.without_adapter(task), self.fitted.proved(task)
        served = query.adapter.mixture if query.adapter is not None else Mixture()
        return replace(served, without_adapter=without or served.without_adapter, proved_without=proved)


def unlearned(query: Query) -> list[str]:
    """The labels that came after the adapter was trained; none where there is no adapter."""
    return [name for name in query.task.names if query.adapter is not None and name not in query.adapter.codes]


def _learned(adapter: Adapter | None, probabilities: Mapping[str, float]) -> Mapping[str, float]:
    """What the adapter says of the labels it was trained for: it knows nothing of a team that came later."""
    if adapter is None:
        return probabilities
    known = {name: p for name, p in probabilities.items() if name in adapter.codes}
    total = sum(known.values())
    return {name: p / total for name, p in known.items()} if total > 0 else probabilities


def _in_short(voice: str, row: Mapping[str, float], weight: float) -> Heard:
    top = max(row, key=lambda name: row[name])
    return Heard(voice, top, round(row[top], 4), weight)


@dataclass(frozen=True, slots=True)
class MemoryVoice:
    """The memory's opinion: what the settled texts near this one say."""

    memory: Memory
    scale: Scale = field(default_factory=Scale)
    """What similarities mean to the embedder."""
    fitted: ExampleVoices | None = None

    async def opinions(self, asked: Asked) -> Sequence[Opinion | NoPrediction]:
        """See `model_ports.Voice`."""
        known = [(text, v) for text, v in zip(asked.texts, await asked.vectors(), strict=True) if v is not None]
        texts, vectors = [text for text, _ in known], [vector for _, vector in known]
        who = zip(asked.askers, await asked.vectors(), strict=True) if asked.askers else ()
        askers = [one for one, vector in who if vector is not None]
        found = iter(await self.memory.nearest_many(asked.query.task, vectors, texts, asked.leave_out_itself, askers))
        counts = self.fitted.counts(asked.query.task.name) if self.fitted is not None else {}
        new = unlearned(asked.query)
        taught = [name for name in asked.query.task.names if counts.get(name, 0) >= _TAUGHT]
        return [
            NoPrediction() if v is None else memory_opinion(next(found), self.scale, new, taught)
            for v in await asked.vectors()
        ]


_: tuple[type[Voice], ...] = (ModelVoice, PooledVoice, MemoryVoice)
