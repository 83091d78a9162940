"""The serving path: text -> what every voice says of it. Sorting, evaluating and judging all go through here."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.decisions import Decision, NoPrediction, Opinion, Reason, as_request, decide, missing
from bot.domain.embedders import known_of
from bot.domain.errors import Unreachable
from bot.domain.model_ports import Asked, Embedder, ExampleVoices, Memory, Predictor, Query, Registry, Vector, Voice
from bot.domain.tasks import Task
from bot.flow.voices import MemoryVoice, ModelVoice, PooledVoice

log = logging.getLogger(__name__)

Heard = Callable[[str, Sequence[Sequence[Opinion | NoPrediction]]], None]
"""Called with a task's name and, for each voice, its answers text by text."""

BATCH = 64
"""Texts a round trip; `route --file` and scoring send as many at a time."""


@dataclass(frozen=True, slots=True)
class Considered:
    """Everything a decision on one text rests on; `domain.decisions.decide` turns it into one."""

    text: str
    opinions: tuple[Opinion | NoPrediction, ...]
    """One for each voice, the model's first."""
    vector: Vector | None
    """None if the embedder could not be asked."""
    language: str | None = None
    """An ISO 639-1 code; None where the language cannot be told."""
    answers: tuple[Decision, ...] = ()
    """The answers to the further questions; one that came too late is missing."""

    def decided(self, task: Task, may_ask: bool, now: datetime | None = None) -> Decision:
        """The decision on this text, by `domain.decisions.decide`."""
        return decide(task, self.opinions, may_ask, now, self.language)

    def as_request(self, task: Task) -> "tuple[Task, Considered]":
        """The task and this text once it is known to be a request (`domain.decisions.as_request`)."""
        teams, opinions = as_request(task, self.opinions)
        return teams, replace(self, opinions=tuple(opinions))

    @property
    def model(self) -> Opinion | NoPrediction:
        """What the model and the voices beside it say; where the model is silent, the reason why."""
        reason = missing(self.opinions[0])
        return self.opinions[0] if reason is None else NoPrediction(reason)

    @property
    def silent(self) -> bool:
        """Whether a voice exists but could not be asked.

        A task without a trained model, or a text that a voice cannot read, merely has one voice fewer.
        """
        if any(isinstance(o, NoPrediction) and o.reason is None for o in self.opinions):
            return True
        return any(missing(o) not in (None, Reason.NOT_TRAINED, Reason.NOT_READ) for o in self.opinions)


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
    """The voices pooled with the model, which answer without it where it is silent; None: there are none."""
    deadline: float = 3.0
    """Seconds that somebody in a chat waits for the model before the other voices decide."""
    language_of: Callable[[str], str | None] = lambda _: None
    """The language of a text, an ISO 639-1 code; slow enough to need a thread."""
    heard: Heard = lambda _task, _said: None
    """Called with what each voice said of each text."""

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Every voice that is asked: the model first, and last the memory, which holds the corrections."""
        model = ModelVoice(self.predictor)
        known = known_of(self.embedder.name)
        first = model if self.fitted is None else PooledVoice(model, self.fitted, known.crosses)
        return (first, *self.others, MemoryVoice(self.memory, known.scale, self.fitted))

    async def query(self, task: Task, hurried: bool = False) -> Query:
        """The question to the champion of this moment. `hurried`: somebody in a chat waits for the answer."""
        codes = await self.registry.codes(task, self.base, self.predictor.alphabet())
        champion = await self.registry.champion(task.name, self.base)
        return Query(task, codes, champion, self.deadline if hurried else None)

    def embedding(self, texts: Sequence[str]) -> "asyncio.Future[Sequence[Vector | None]]":
        """The texts' vectors, being computed, for a caller that asks several questions about the same texts."""
        return asyncio.ensure_future(self._embed(texts))

    async def consider(
        self,
        query: Query,
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
        vectors: "asyncio.Future[Sequence[Vector | None]] | None" = None,
        tell_language: bool = True,
    ) -> list[Considered]:
        """What is known about each text. Never raises because a model or embedder is down: the result says so.

        `askers`: the author of each text, `platform:id`; empty: unknown. `leave_out_itself` hides examples with the
        same text from all voices but the adapter, for honest scores. `vectors`: the texts' vectors, if the caller
        computes them already; the caller then cancels them. Without `tell_language` the results name no language.
        """
        embedding = self.embedding(texts) if vectors is None else vectors
        spoken = asyncio.ensure_future(self.languages(texts if tell_language else ()))

        async def embedded() -> Sequence[Vector | None]:
            return await asyncio.shield(embedding)  # a voice that gives up waiting leaves it to the others

        async def told() -> Sequence[str | None]:
            return await (asyncio.shield(spoken) if tell_language else self.languages(texts))

        asked = Asked(query, texts, embedded, askers, leave_out_itself, told)
        try:
            said = await asyncio.gather(*(voice.opinions(asked) for voice in self.voices))
            self.heard(query.task.name, said)
            languages = await spoken or [None] * len(texts)
            rows = zip(texts, zip(*said, strict=True), await embedded(), languages, strict=True)
            return [Considered(text, opinions, vector, language) for text, opinions, vector, language in rows]
        finally:
            if vectors is None:
                embedding.cancel()
            spoken.cancel()

    async def unasked(self, texts: Sequence[str]) -> list[Considered]:
        """Vectors and languages of texts that a rule decides, for later use. No voice is asked."""
        vectors, languages = await asyncio.gather(self._embed(texts), self.languages(texts))
        return [Considered(*one) for one in zip(texts, [()] * len(texts), vectors, languages, strict=True)]

    async def languages(self, texts: Sequence[str]) -> list[str | None]:
        """The language of each text."""
        return await asyncio.to_thread(lambda: [self.language_of(text) for text in texts])

    async def familiarity(self, query: Query, texts: Sequence[str]) -> list[float | None]:
        """How near each text's nearest known text is, the text itself hidden; None where that cannot be told."""
        vectors = await self._embed(texts)

        async def known() -> Sequence[Vector | None]:
            return vectors

        said = await self.voices[-1].opinions(Asked(query, texts, known, leave_out_itself=True))
        return [one.familiarity if isinstance(one, Opinion) else None for one in said]

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Opinion]:
        """The model's calibrated opinions. Raises Unreachable or Refused as `model_ports.Predictor` does."""
        return await ModelVoice(self.predictor).predict(query, texts)

    async def _embed(self, texts: Sequence[str]) -> Sequence[Vector | None]:
        try:
            return await self.embedder.embed(texts)
        except Unreachable as error:
            log.warning("embedder down", extra={"problem": str(error)})
            return [None] * len(texts)
