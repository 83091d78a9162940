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
"""Is told of a task what each voice said, text by text."""

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
    language: str | None = None
    """An ISO 639-1 code; None where it cannot be told."""
    answers: tuple[Decision, ...] = ()
    """What was answered to the further questions beside; one that was too late is missing."""

    def decided(self, task: Task, may_ask: bool, now: datetime | None = None) -> Decision:
        """The decision on it, as `domain.decisions.decide` has it."""
        return decide(task, self.opinions, may_ask, now, self.language)

    def as_request(self, task: Task) -> "tuple[Task, Considered]":
        """The same where it is known that something is a request (`domain.decisions.as_request`)."""
        teams, opinions = as_request(task, self.opinions)
        return teams, replace(self, opinions=tuple(opinions))

    @property
    def model(self) -> Opinion | NoPrediction:
        """What the model says, with the voices beside it; why it does not, where it is silent."""
        reason = missing(self.opinions[0])
        return self.opinions[0] if reason is None else NoPrediction(reason)

    @property
    def silent(self) -> bool:
        """Whether a voice could not be asked though there is one. A task without a model yet, or a text that it
        cannot read, has one voice fewer."""
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
    """What speaks with the model, and for it where it is silent; None: nothing."""
    deadline: float = 3.0
    """Seconds that somebody in a chat waits for the model before the other voices decide."""
    language_of: Callable[[str], str | None] = lambda _: None
    """Which language a text is in, an ISO 639-1 code; slow enough to be called in a thread."""
    heard: Heard = lambda _task, _said: None
    """Is told what was said of each text, by whom."""

    @property
    def voices(self) -> tuple[Voice, ...]:
        """Everybody who is asked, the model first; the memory last, since it is the one that knows of corrections."""
        model = ModelVoice(self.predictor)
        known = known_of(self.embedder.name)
        first = model if self.fitted is None else PooledVoice(model, self.fitted, known.crosses)
        return (first, *self.others, MemoryVoice(self.memory, known.scale, self.fitted))

    async def query(self, task: Task, hurried: bool = False) -> Query:
        """The question as the champion is asked it now. `hurried`: somebody in a chat waits for the answer."""
        codes = await self.registry.codes(task, self.base, self.predictor.alphabet())
        champion = await self.registry.champion(task.name, self.base)
        return Query(task, codes, champion, self.deadline if hurried else None)

    def embedding(self, texts: Sequence[str]) -> "asyncio.Future[Sequence[Vector | None]]":
        """The texts' vectors, being computed: for whoever asks several questions about the same texts."""
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
        """What is known about each text. Never raises for a model or embedder that is down: it says so in the result.

        `askers`: whose text each is, `platform:id`; empty: nobody's. `leave_out_itself` hides remembered examples with
        the same text, for honest scores on held-out examples. `vectors`: the texts', where somebody computes them
        already; who gives them lets go of them. Without `tell_language` the result does not say in which language they
        are.
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
        """Texts of which no voice is asked, since a rule decides: their vectors and languages, for what comes later."""
        vectors, languages = await asyncio.gather(self._embed(texts), self.languages(texts))
        return [Considered(*one) for one in zip(texts, [()] * len(texts), vectors, languages, strict=True)]

    async def languages(self, texts: Sequence[str]) -> list[str | None]:
        """Which language each text is in."""
        return await asyncio.to_thread(lambda: [self.language_of(text) for text in texts])

    async def familiarity(self, query: Query, texts: Sequence[str]) -> list[float | None]:
        """How near the nearest known text is to each, itself hidden; None where nothing can be told."""
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
