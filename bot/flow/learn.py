"""Step 6: Corrections become a candidate, which serves only after it has proved itself through the serving path."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

from bot.domain import compose
from bot.domain.asking import in_words, record
from bot.domain.decisions import calibrated
from bot.domain.errors import ClaimLost, SwitchboardError, TrainingFailed, Unreachable, UsageError
from bot.domain.gate import judge
from bot.domain.learning import (
    Adapter,
    Cycle,
    Example,
    Judged,
    Phase,
    Progress,
    Side,
    Verdict,
    fit_temperature,
    keep_apart,
    label_counts,
    replayed,
    settle,
    text_key,
)
from bot.domain.mixture import ADAPTER, Mixture, pooled
from bot.domain.model_ports import AdapterHost, Examples, Query, Registry, Trainer, TrainingRun
from bot.domain.ports import Change
from bot.domain.scope import scope
from bot.domain.tasks import Task
from bot.flow.fit_voices import VoiceFitter
from bot.flow.let_go import LetGo
from bot.flow.score import Scorer, batches

log = logging.getLogger(__name__)

MAX_TRAINING_SET = 20_000
MIN_PER_LABEL = 2
_TELL_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Learner:
    """Runs learning cycles, one at a time over all processes."""

    name: ClassVar[str] = "learn"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.CYCLE})

    tasks: Mapping[str, Task]
    examples: Examples
    registry: Registry
    scorer: Scorer
    adapters: AdapterHost
    trainer: Trainer
    runs: Path
    base_path: Path
    now: Callable[[], datetime]
    fitter: VoiceFitter | None = None
    """None: no voice stands beside the adapter."""
    let_go: LetGo | None = None
    """None: the memory keeps whatever was learned."""

    async def due(self, task: Task, tick: str) -> bool:
        """Ask for a cycle if enough corrections wait; once a tick, however many processes say so."""
        if await self.examples.waiting_corrections(task.name) < task.learning.min_corrections:
            return False
        return await self.registry.request_cycle(task.name, "schedule", tick, self.now())

    async def step(self, told: Progress | None = None) -> int:
        """Run the next requested cycle to its verdict; 0 when none waits. Interrupted, it is taken up again."""
        async with self.registry.claim_cycle(self.now()) as cycle:
            if cycle is None:
                return 0
            try:
                await self._learn(cycle, told or (lambda _share, _doing: None))
            except ClaimLost:
                log.warning("learning cycle taken over by another process", extra={"cycle": cycle.id})
            except Exception as error:  # whatever it was, the cycle ends: it would train again with every step
                known = {"cycle": cycle.id, "problem": type(error).__name__}
                log.error("learning failed", extra=known, exc_info=None if _foreseen(error) else error)
                await self._fail(cycle, error)
        return 1

    async def _fail(self, cycle: Cycle, error: Exception) -> None:
        problem = str(error) if _foreseen(error) else f"unforeseen error {type(error).__name__}; the log says where"
        try:
            await self.registry.fail_cycle(cycle, problem, self.now())
        except ClaimLost:
            log.warning("learning cycle taken over by another process", extra={"cycle": cycle.id})

    async def _learn(self, cycle: Cycle, told: Progress) -> None:
        task = self.tasks.get(cycle.task)
        if task is None:
            raise UsageError(f"tasks.{cycle.task}: the settings have no such task any more")
        query = await self.scorer.classifier.query(task)
        examples = await self.examples.examples(task.name)
        training_set, held_out = await asyncio.to_thread(_chosen, examples, frozenset(task.names))
        candidate = await self._train(cycle, query, training_set, told)
        async with self._telling(cycle, Phase.SCORING, candidate.name, told) as tell:
            candidate = await self.weighed(query, candidate, training_set)
            verdict = await self._judge(query, candidate, held_out, tell)
            verdict = replace(verdict, reasons=(*verdict.reasons, in_words(query.task, candidate.mixture.proved)))
        await self._conclude(cycle, Judged(candidate, query.adapter, verdict))
        if self.let_go is not None:
            await self.let_go(self.scorer, await self.scorer.classifier.query(task))

    async def _train(self, cycle: Cycle, query: Query, training_set: Sequence[Example], told: Progress) -> Adapter:
        _check_enough(query.task, training_set)
        name = cycle.adapter or await self.registry.next_name(query.task.name)
        async with self._telling(cycle, Phase.TRAINING, name, told) as tell:
            run = TrainingRun(self.runs / name, self.base_path, query.task, query.codes, training_set)
            path = await self.trainer.train(run, tell)
        return Adapter(name, query.task.name, path, self.scorer.classifier.base, query.codes, 1.0, self.now())

    async def weighed(self, query: Query, candidate: Adapter, training_set: Sequence[Example]) -> Adapter:
        """The candidate with its temperature and the weights of the voices beside it, from what training kept apart.

        Training looked at that slice but never learned from it, and of the voices it is what they say unseen. Where
        nothing was kept apart: temperature 1, and the usual weights.
        """
        await self._fit_voices(query.task)
        _, slice_ = await asyncio.to_thread(keep_apart, training_set)
        slice_ = [e for e in slice_ if self.scorer.classifier.predictor.reads(e.text)]  # as in service
        asked = replace(query, adapter=replace(candidate, temperature=1.0))
        scores: list[tuple[Mapping[str, float], str]] = []
        predict = self.scorer.classifier.predict
        for batch in batches(slice_):
            predictions = await self.scorer.insist(partial(predict, asked, [e.text for e in batch]))
            scores += [(p.probabilities, e.label) for p, e in zip(predictions, batch, strict=True)]
        calibrated_one = replace(candidate, temperature=await asyncio.to_thread(fit_temperature, scores))
        near = await self._familiar(asked, slice_)
        mixture = await asyncio.to_thread(self._mixture, calibrated_one, slice_, scores, near)
        return replace(calibrated_one, mixture=mixture)

    async def _familiar(self, query: Query, slice_: Sequence[Example]) -> dict[str, float]:
        """How near the nearest known text is to each of these, itself hidden, by content hash."""
        near: dict[str, float] = {}
        for batch in batches(slice_):
            texts = [example.text for example in batch]
            known = await self.scorer.classifier.familiarity(query, texts)
            near |= {text_key(text): one for text, one in zip(texts, known, strict=True) if one is not None}
        return near

    async def _fit_voices(self, task: Task) -> None:
        """Champion and candidate are judged with the same voices beside them, fitted on what is known now."""
        if self.fitter is None:
            return
        try:
            await self.fitter.fit(task)
        except TrainingFailed as error:
            log.error("voices not fitted", extra={"task": task.name, "problem": str(error)})

    def _mixture(
        self,
        candidate: Adapter,
        slice_: Sequence[Example],
        scores: Sequence[tuple[Mapping[str, float], str]],
        near: Mapping[str, float],
    ) -> Mixture:
        fitted = self.scorer.classifier.fitted
        keys = {text_key(example.text) for example in slice_}
        unseen = fitted.unseen(candidate.task, keys) if fitted is not None else {}
        rows = [
            ({ADAPTER: calibrated(said, candidate.temperature), **unseen[key]}, label, near.get(key))
            for example, (said, label) in zip(slice_, scores, strict=True)
            if (key := text_key(example.text)) in unseen
        ]
        if fitted is None or not rows:
            return Mixture()
        said, truth = [said for said, _, _ in rows], [label for _, label, _ in rows]
        weights = fitted.fit_weights(said, truth)
        mixed = [pooled(one, weights, list(candidate.codes)) or one[ADAPTER] for one in said]
        placed = [(one, at) for one, (_, _, at) in zip(mixed, rows, strict=True) if at is not None]
        in_scope = scope([one for one, _ in placed], [at for _, at in placed])
        return Mixture(weights, proved=record(mixed, truth), scope=in_scope)

    async def _judge(self, query: Query, candidate: Adapter, held_out: Sequence[Example], tell: Progress) -> Verdict:
        """Champion and candidate as whole systems, memory included, on the same held-out examples."""
        champion = query.adapter
        scored = 0

        def told(more: int) -> None:
            nonlocal scored
            scored += more
            tell(scored / (len(held_out) * (2 if champion else 1)), "candidate against champion")

        after = await self.scorer.score(replace(query, adapter=candidate), held_out, told, patient=True)
        if champion is None:
            return judge(None, after)
        before = await self.scorer.score(query, held_out, told, patient=True)
        new_labels = [name for name in query.task.names if name not in champion.codes]
        return judge(before, after, new_labels)

    async def _conclude(self, cycle: Cycle, judged: Judged) -> None:
        candidate, verdict = judged.candidate, judged.verdict
        posts = compose.learned(self.tasks[cycle.task], candidate.name, verdict)
        await self.registry.conclude_cycle(cycle, judged, posts, self.now())
        log.info("judged", extra={"adapter": candidate.name, "promoted": verdict.promoted, **verdict.figures})
        if not verdict.promoted:
            with contextlib.suppress(Unreachable):  # whoever is away has unloaded it by that
                await self.adapters.unload(candidate.name)

    @asynccontextmanager
    async def _telling(self, cycle: Cycle, phase: Phase, adapter: str, told: Progress) -> AsyncIterator[Progress]:
        """Progress that reaches the caller at once, and everybody else through the registry twice a second.

        What is yielded raises ClaimLost as soon as another process holds the cycle: hours of work would be in vain.
        """
        share, lost = 0.0, False

        def tell(done: float, doing: str) -> None:
            nonlocal share
            if lost:
                raise ClaimLost(f"learning cycle {cycle.id} is held by another process")
            share = done
            told(done, f"{phase.value}: {doing}")

        async def publish() -> None:
            nonlocal lost
            while not lost:
                try:
                    await self.registry.update_cycle(cycle, phase, share, adapter)
                except ClaimLost:
                    lost = True
                except Unreachable:
                    pass  # a figure nobody sees for half a second is no loss
                await asyncio.sleep(_TELL_EVERY)

        publishing = asyncio.create_task(publish(), name=f"progress of {adapter}")
        try:
            yield tell
        finally:
            publishing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await publishing


def _chosen(examples: Sequence[Example], names: Collection[str]) -> tuple[list[Example], list[Example]]:
    """What to learn from and what to judge by: examples of labels that the task still has, each text once."""
    known = [e for e in settle(examples) if e.label in names]
    training_set = replayed([e for e in known if e.side is Side.TRAIN], MAX_TRAINING_SET)
    return training_set, [e for e in known if e.side is Side.HELD_OUT]


def _check_enough(task: Task, training_set: Sequence[Example]) -> None:
    counts = label_counts(training_set)
    starving = [name for name in task.names if counts[name] < MIN_PER_LABEL]
    if len(task.names) - len(starving) < 2:
        raise UsageError(
            f"nothing to learn from: {', '.join(starving)} have fewer than {MIN_PER_LABEL} examples; "
            "add some with `switchboard import`, or correct some decisions"
        )


def _foreseen(error: Exception) -> bool:
    """Its message is a sentence of ours; that of any other error may quote what people wrote."""
    return isinstance(error, SwitchboardError)
