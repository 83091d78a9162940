"""What an adapter alone answers, served, on messages it has not learned from: the basis of its temperature and weight.

With enough examples, training keeps a tenth apart for good. With fewer, a tenth is too small to measure anything and
too valuable to hold back, so the training is rehearsed: an adapter that learns from two thirds is asked about the rest,
and then the real one learns from all.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bot.domain.errors import Unreachable
from bot.domain.learning import Adapter, Example, Progress, keep_apart, rehearsed
from bot.domain.model_ports import AdapterHost, Query, Trainer, TrainingRun
from bot.domain.unlearning import TrainingTexts, rehearsal_of
from bot.flow.score import Scorer, batches


@dataclass(frozen=True, slots=True)
class Steered:
    """What an adapter alone answers, served, on messages that it has not learned from."""

    slice_: Sequence[Example]
    said: Sequence[tuple[Mapping[str, float], str]]
    """For each message its distribution and its true label."""

    @property
    def right(self) -> int:
        return sum(max(row, key=lambda name: row[name]) == label for row, label in self.said)


@dataclass(frozen=True, slots=True)
class Steering:
    """Asks a candidate about messages that it has not learned from."""

    scorer: Scorer
    adapters: AdapterHost
    trainer: Trainer
    runs: Path
    base_path: Path
    texts: TrainingTexts | None

    async def of(self, query: Query, candidate: Adapter, training_set: Sequence[Example], tell: Progress) -> Steered:
        """The answers on the slice that was kept apart, else of a rehearsal; none where there is too little for either.

        Raises what training and scoring raise. Interrupted, a rehearsal that was finished is not trained again.
        """
        _, slice_ = await asyncio.to_thread(keep_apart, training_set)
        if slice_:
            return await self._said(query, candidate, slice_)
        learned, asked = await asyncio.to_thread(rehearsed, training_set)
        return await self._rehearsal(query, candidate, learned, asked, tell) if asked else Steered([], [])

    async def _rehearsal(
        self, query: Query, candidate: Adapter, learned: Sequence[Example], asked: Sequence[Example], tell: Progress
    ) -> Steered:
        name = rehearsal_of(candidate.name)
        run = TrainingRun(self.runs / name, self.base_path, query.task, query.codes, learned)
        path = await self.trainer.train(run, lambda share, doing: tell(share, f"rehearsal, {doing}"))
        try:
            return await self._said(query, replace(candidate, name=name, path=path, digest=None), asked)
        finally:
            with suppress(Unreachable):  # a server that is down now will have dropped it when it is back
                await self.adapters.unload(name)
            if self.texts is not None:
                await self.texts.discard(name)

    async def _said(self, query: Query, adapter: Adapter, slice_: Sequence[Example]) -> Steered:
        readable = [e for e in slice_ if self.scorer.classifier.predictor.reads(e.text)]  # as in service
        asked = replace(query, adapter=replace(adapter, temperature=1.0))
        said: list[tuple[Mapping[str, float], str]] = []
        for batch in batches(readable):
            predict = partial(self.scorer.classifier.predict, asked, [e.text for e in batch])
            predictions = await self.scorer.insist(predict)
            said += [(p.probabilities, e.label) for p, e in zip(predictions, batch, strict=True)]
        return Steered(readable, said)
