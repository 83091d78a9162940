"""Measures the fine-tuned adapter's part of a learning curve: one training a draw, asked through the model server.

No training outlives its measurement, even one that is interrupted: its folder, with the texts in it, is removed, and
the server unloads the adapter. What a killed command left behind is removed by the next command.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from bot.domain.comparison import SERVED
from bot.domain.decisions import calibrated
from bot.domain.errors import Unreachable
from bot.domain.learning import Adapter, Example, Progress, Side, Source, fit_temperature, keep_apart, text_key
from bot.domain.learning_curve import Draw, Measured, drawn
from bot.domain.mixture import ADAPTER, Mixture, pooled
from bot.domain.model_ports import AdapterHost, ExampleVoices, Lesson, Query, Said, Trainer, TrainingRun, Vector
from bot.domain.training_estimate import Training
from bot.domain.unlearning import TrainingTexts
from bot.flow.classify import BATCH
from bot.flow.score import Scorer

Row = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measuring:
    """The lessons and messages that every draw is measured with."""

    lessons: Sequence[Lesson]
    """All that may be learned from."""
    messages: Sequence[Example]
    vectors: Sequence[Vector | None]
    """The vector of each message."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where adapters are trained."""

    trainer: Trainer
    adapters: AdapterHost
    texts: TrainingTexts
    runs: Path
    """The folder where the model server finds adapters; the files of `texts` are in it, too."""
    base_path: Path


@dataclass(frozen=True, slots=True)
class AdapterCurveMeasurer:
    """Trains an adapter, asks it and removes it. Run one command a task at a time: each removes what others left."""

    workshop: Workshop
    scorer: Scorer
    voices: ExampleVoices
    """The voices beside the adapter, fitted on the same draw. They serve nobody."""
    query: Query
    """The task, with the codes that its labels have."""
    measuring: Measuring
    now: Callable[[], datetime]

    async def measure(self, draws: Sequence[Draw], tell: Progress) -> AsyncGenerator[Measured, None]:
        """Yield what each draw's adapter answers, alone and in the mixture.

        Raises TrainingFailed, Unreachable and Refused.
        """
        for at, draw in enumerate(draws):

            def told(share: float, doing: str, at: int = at, draw: Draw = draw) -> None:
                size = f"{draw.size} a team" if draw.size else "all examples"
                tell((at + share) / len(draws), f"adapter of {size}, {at + 1} of {len(draws)}: {doing}")

            yield await self._measured(draw, told)

    async def sweep(self) -> None:
        """Remove what a killed command left on disk and in the server."""
        for folder in await asyncio.to_thread(lambda: sorted(self.workshop.runs.glob(f"{self._prefix}*"))):
            await self._discard(folder.name)

    @property
    def _prefix(self) -> str:
        return f"{self.query.task.name}-curve-"

    async def _measured(self, draw: Draw, tell: Progress) -> Measured:
        lessons = drawn(self.measuring.lessons, draw)
        examples = as_examples(lessons, self.now())
        async with self._trained(examples, tell) as adapter:
            tell(1.0, "asking")
            await self.voices.fit(self.query.task.name, adapter.name, lessons)
            adapter = await self._weighed(adapter, examples)
            rows = await self._alone(adapter, [message.text for message in self.measuring.messages])
            mixed = await self._mixed(adapter, rows)
        return Measured(draw, len(lessons), {ADAPTER: self._right(rows), SERVED: self._right(mixed)})

    @asynccontextmanager
    async def _trained(self, examples: Sequence[Example], tell: Progress) -> AsyncIterator[Adapter]:
        # A new name each time: under an old one, an adapter that a killed command left in the server would answer
        name, task = f"{self._prefix}{secrets.token_hex(6)}", self.query.task
        shop = self.workshop
        try:
            run = TrainingRun(shop.runs / name, shop.base_path, task, self.query.codes, examples)
            path = await shop.trainer.train(run, tell)
            digest = await shop.adapters.digest(path)
            base = self.scorer.classifier.base
            yield Adapter(name, task.name, path, base, self.query.codes, 1.0, self.now(), digest=digest)
        finally:
            await self._discard(name)

    async def _discard(self, name: str) -> None:
        """Remove the training's folder first, so that its texts are gone whatever the server does, then the adapter."""
        try:
            await self.workshop.texts.discard(name)
        finally:
            with suppress(Unreachable):  # a server that is down now will have dropped the adapter when it comes back
                await self.workshop.adapters.unload(name)

    async def _weighed(self, adapter: Adapter, examples: Sequence[Example]) -> Adapter:
        """The adapter with its temperature and its mixture, fitted as for service on the examples kept apart to steer.

        With few examples none are kept apart. A learning cycle then rehearses; here the temperature is 1 and the
        weights are the usual ones.
        """
        _, slice_ = await asyncio.to_thread(keep_apart, examples)
        unseen = self.voices.unseen(self.query.task.name, {text_key(e.text) for e in slice_})
        rows = await self._alone(adapter, [e.text for e in slice_])
        known = [(e, row) for e, row in zip(slice_, rows, strict=True) if row is not None]
        adapter = replace(adapter, temperature=fit_temperature([(row, e.label) for e, row in known]))
        said: list[Said] = []
        truth: list[str] = []
        for example, row in known:
            if (others := unseen.get(text_key(example.text))) is not None:
                said.append({ADAPTER: calibrated(row, adapter.temperature), **others})
                truth.append(example.label)
        if not said:
            return adapter
        return replace(adapter, mixture=Mixture(self.voices.fit_weights(said, truth)))

    async def _alone(self, adapter: Adapter, texts: Sequence[str]) -> list[Row | None]:
        """What the adapter says of each text; None for a text the base cannot read, as in service."""
        classifier, asked = self.scorer.classifier, replace(self.query, adapter=adapter)
        readable = [text for text in dict.fromkeys(texts) if classifier.predictor.reads(text)]
        said: dict[str, Row] = {}
        for start in range(0, len(readable), BATCH):
            batch = readable[start : start + BATCH]
            heard = await self.scorer.insist(partial(classifier.predict, asked, batch))
            said |= {text: one.probabilities for text, one in zip(batch, heard, strict=True)}
        return [said.get(text) for text in texts]

    async def _mixed(self, adapter: Adapter, rows: Sequence[Row | None]) -> list[Row | None]:
        """The adapter and the voices beside it, pooled.

        For a text that the adapter cannot read, the voices beside it decide alone.
        """
        task, texts = self.query.task, [message.text for message in self.measuring.messages]
        others = await self.voices.say(task.name, texts, self.measuring.vectors, set(self.voices.usual))
        without = self.voices.without_adapter(task.name)
        mixed: list[Row | None] = []
        for row, said in zip(rows, others, strict=True):
            every = said if row is None else {**said, ADAPTER: row}
            mixed.append(pooled(every, without if row is None else adapter.mixture.of(every), task.names))
        return mixed

    def _right(self, rows: Sequence[Row | None]) -> list[bool]:
        """Whether each answer is right. A text without an answer counts as wrong."""
        answers = [max(sorted(row), key=row.__getitem__) if row else None for row in rows]
        return [answer == m.label for answer, m in zip(answers, self.measuring.messages, strict=True)]


def planned_trainings(lessons: Sequence[Lesson], draws: Sequence[Draw], now: datetime) -> list[Training]:
    """The trainings that these draws need, for an estimate."""
    parts = [keep_apart(as_examples(drawn(lessons, draw), now)) for draw in draws]
    return [Training(len(learned), len(steering)) for learned, steering in parts]


def as_examples(lessons: Sequence[Lesson], now: datetime) -> list[Example]:
    """The lessons as the examples of a training."""
    return [Example(lesson.text, lesson.label, Source.IMPORT, Side.TRAIN, now) for lesson in lessons]
