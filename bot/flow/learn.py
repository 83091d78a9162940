"""Step 6: Corrections become a candidate, which serves only after it has proved itself through the serving path."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from bot.domain import compose
from bot.domain.asking import in_words, record
from bot.domain.decisions import calibrated
from bot.domain.errors import ClaimLost, Refused, SwitchboardError, TrainingFailed, Unreachable, UsageError
from bot.domain.learning import (
    Adapter,
    Cycle,
    Example,
    Judged,
    Phase,
    Progress,
    fit_temperature,
    text_key,
)
from bot.domain.ledger import Change
from bot.domain.mixture import ADAPTER, Mixture, pooled
from bot.domain.model_ports import AdapterHost, Examples, Query, Registry, Trainer, TrainingRun
from bot.domain.scope import scope
from bot.domain.serving_agreement import disagreement
from bot.domain.silent_signals import SilentSignals, weighed
from bot.domain.tasks import Task, routing_task
from bot.domain.training_data import check_drawn, draw
from bot.domain.unlearning import TrainingTexts
from bot.flow.estimate import TrainingEstimator
from bot.flow.fit_voices import VoiceFitter
from bot.flow.judge import Judge
from bot.flow.let_go import LetGo
from bot.flow.score import Scorer, batches
from bot.flow.steering import Steered, Steering

log = logging.getLogger(__name__)

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
    """Fits the voices beside the adapter; None: there are none."""
    let_go: LetGo | None = None
    """Retires corrections that the adapter has learned; None: the memory keeps them all."""
    texts: TrainingTexts | None = None
    """The texts that trainings leave on disk; None: they leave none."""
    estimator: TrainingEstimator | None = None
    """Estimates before a training how long it takes; None: there is no estimate."""
    signals: SilentSignals | None = None
    """What people show without saying it; None: it is not used."""

    async def due(self, task: Task, tick: str) -> bool:
        """Ask for a cycle if enough corrections wait; once a tick, however many processes ask."""
        if await self.examples.waiting_corrections(task.name) < task.learning.min_corrections:
            return False
        return await self.registry.request_cycle(task.name, "schedule", tick, self.now())

    async def step(self, told: Progress | None = None) -> int:
        """Run the next requested cycle to its verdict; 0 when none waits. Interrupted, it is taken up again."""
        async with self.registry.claim_cycle(self.now()) as cycle:
            if cycle is None:
                return 0
            try:
                cycle = replace(cycle, adapter=cycle.adapter or await self.registry.next_name(cycle.task))
                await self._learn(cycle, told or (lambda _share, _doing: None))
            except ClaimLost:
                log.warning("learning cycle taken over by another process", extra={"cycle": cycle.id})
            except Exception as error:  # whatever it was, the cycle must end, or every step would train it again
                known = {"cycle": cycle.id, "problem": type(error).__name__}
                log.error("learning failed", extra=known, exc_info=None if _foreseen(error) else error)
                await self._fail(cycle, error)
        return 1

    async def _fail(self, cycle: Cycle, error: Exception) -> None:
        try:
            await self.registry.fail_cycle(cycle, _in_words(error), self.now())
        except ClaimLost:
            log.warning("learning cycle taken over by another process", extra={"cycle": cycle.id})
        else:
            await self._remove_texts(cycle)

    async def _remove_texts(self, cycle: Cycle) -> None:
        """Remove the cycle's training texts: it is over, and no training needs them any more."""
        if self.texts is None or cycle.adapter is None:
            return
        try:
            await self.texts.remove([cycle.adapter])
        except Refused as error:
            log.error("texts of a training not removed", extra={"cycle": cycle.id, "problem": str(error)})

    async def _learn(self, cycle: Cycle, told: Progress) -> None:
        task = self.tasks.get(cycle.task)
        if task is None:
            raise UsageError(f"tasks.{cycle.task}: the settings have no such task any more")
        query = await self.scorer.classifier.query(task)
        examples = await self.examples.examples(task.name)
        if self.signals is not None and task.learning.silent_signals > 0:
            examples += weighed(await self.signals.signals(task), examples, task.learning.silent_signals)
        drawn = await asyncio.to_thread(draw, examples, frozenset(task.names))
        check_drawn(task, drawn)
        await self._log_estimate(cycle, query, drawn.training_set)
        candidate = await self._train(cycle, query, drawn.training_set, told)
        async with self._telling(cycle, Phase.SCORING, candidate.name, told) as tell:
            steered = await self._steering.of(query, candidate, drawn.training_set, tell)
            wrong = disagreement(
                await self.trainer.validation(self.runs / candidate.name), steered.right, len(steered.said)
            )
            candidate = await self._weighed(query, candidate, steered)
            judge = Judge(self.scorer, self.registry, self.now)
            verdict = await judge.verdict(query, candidate, drawn.held_out, tell, [wrong] if wrong else [])
            verdict = replace(verdict, reasons=(*verdict.reasons, in_words(query.task, candidate.mixture.proved)))
        canary = task.learning.canary if query.adapter is not None else 0.0  # no champion to share with
        await self._conclude(cycle, Judged(candidate, query.adapter, verdict, canary))
        if self.let_go is not None:
            await self.let_go(self.scorer, task)
        await self._remove_texts(cycle)

    async def _log_estimate(self, cycle: Cycle, query: Query, training_set: Sequence[Example]) -> None:
        """Log the training's estimate, unless a command started the cycle: that has shown the estimate already."""
        if self.estimator is None or cycle.requested_by == "command":
            return
        known: dict[str, object] = {"cycle": cycle.id, "task": cycle.task}
        try:
            estimate = await self.estimator.of(query, training_set)
        except TrainingFailed as error:
            log.warning("training not estimated", extra=known | {"problem": str(error)})
            return
        known |= {"seconds": round(estimate.seconds), "memory_bytes": estimate.memory_bytes}
        log.info("training estimated", extra=known | {"rehearsed": estimate.rehearsed})

    async def _train(self, cycle: Cycle, query: Query, training_set: Sequence[Example], told: Progress) -> Adapter:
        name = cycle.adapter or await self.registry.next_name(query.task.name)
        async with self._telling(cycle, Phase.TRAINING, name, told) as tell:
            run = TrainingRun(self.runs / name, self.base_path, query.task, query.codes, training_set)
            path = await self.trainer.train(run, tell)
        base, digest = self.scorer.classifier.base, await self.adapters.digest(path)
        return Adapter(name, query.task.name, path, base, query.codes, 1.0, self.now(), digest=digest)

    async def weighed(self, query: Query, candidate: Adapter, training_set: Sequence[Example]) -> Adapter:
        """The candidate with its temperature and its mixture, fitted on texts that it has not learned.

        The other voices, too, are weighed on texts that they have not seen. With too few of them the temperature is 1
        and the weights are the usual ones.
        """
        steered = await self._steering.of(query, candidate, training_set, lambda _share, _doing: None)
        return await self._weighed(query, candidate, steered)

    @property
    def _steering(self) -> Steering:
        return Steering(self.scorer, self.adapters, self.trainer, self.runs, self.base_path, self.texts)

    async def _weighed(self, query: Query, candidate: Adapter, steered: Steered) -> Adapter:
        await self._fit_voices(query.task)
        slice_, scores = steered.slice_, steered.said
        calibrated_one = replace(candidate, temperature=await asyncio.to_thread(fit_temperature, scores))
        near = await self._familiar(replace(query, adapter=candidate), slice_)
        spoken = await self.scorer.classifier.languages([example.text for example in slice_])
        languages = {text_key(one.text): code for one, code in zip(slice_, spoken, strict=True)}
        mixture = await asyncio.to_thread(self._mixture, calibrated_one, slice_, scores, near, languages)
        return replace(calibrated_one, mixture=mixture)

    async def _familiar(self, query: Query, slice_: Sequence[Example]) -> dict[str, float]:
        """Content hash -> how near the nearest known text is, the text itself hidden."""
        near: dict[str, float] = {}
        for batch in batches(slice_):
            texts = [example.text for example in batch]
            known = await self.scorer.classifier.familiarity(query, texts)
            near |= {text_key(text): one for text, one in zip(texts, known, strict=True) if one is not None}
        return near

    async def _fit_voices(self, task: Task) -> None:
        """Fit the voices on the latest examples, so that champion and candidate are judged beside the same ones."""
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
        languages: Mapping[str, str | None],
    ) -> Mixture:
        fitted = self.scorer.classifier.fitted
        keys = {text_key(example.text) for example in slice_}
        unseen = fitted.unseen(candidate.task, keys) if fitted is not None else {}
        rows = [
            ({ADAPTER: calibrated(said, candidate.temperature), **unseen[key]}, label, near.get(key), languages[key])
            for example, (said, label) in zip(slice_, scores, strict=True)
            if (key := text_key(example.text)) in unseen
        ]
        if fitted is None or not rows:
            return Mixture()
        said, truth, places, spoken = (list(column) for column in zip(*rows, strict=True))
        weights = fitted.fit_weights(said, truth)
        mixed = [pooled(one, weights, list(candidate.codes)) or one[ADAPTER] for one in said]
        placed = [(one, at) for one, at in zip(mixed, places, strict=True) if at is not None]
        in_scope = scope([one for one, _ in placed], [at for _, at in placed])
        return Mixture(weights, proved=record(mixed, truth, spoken), scope=in_scope)

    async def _conclude(self, cycle: Cycle, judged: Judged) -> None:
        candidate, verdict = judged.candidate, judged.verdict
        leads = routing_task(self.tasks.values())
        posts = compose.learned(self.tasks[cycle.task], candidate.name, verdict, leads, judged.canary)
        await self.registry.conclude_cycle(cycle, judged, posts, self.now())
        log.info("judged", extra={"adapter": candidate.name, "promoted": verdict.promoted, **verdict.figures})
        if not verdict.promoted:
            with contextlib.suppress(Unreachable):  # a server that is down comes back without it
                await self.adapters.unload(candidate.name)

    @asynccontextmanager
    async def _telling(self, cycle: Cycle, phase: Phase, adapter: str, told: Progress) -> AsyncIterator[Progress]:
        """Progress that reaches the caller at once, and everybody else through the registry twice a second.

        The yielded callback raises ClaimLost as soon as another process holds the cycle, and Refused as soon as a
        person is forgotten whose words the training learns from: going on would waste hours of work.
        """
        share, lost = 0.0, list[SwitchboardError]()

        def tell(done: float, doing: str) -> None:
            nonlocal share
            if lost:
                raise lost[0]
            share = done
            told(done, f"{phase.value}: {doing}")

        async def publish() -> None:
            while not lost:
                try:
                    await self.registry.update_cycle(cycle, phase, share, adapter)
                except (ClaimLost, Refused) as error:
                    lost.append(error)
                except Unreachable:
                    pass  # nobody misses a figure for half a second
                await asyncio.sleep(_TELL_EVERY)

        publishing = asyncio.create_task(publish(), name=f"progress of {adapter}")
        try:
            yield tell
        finally:
            publishing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await publishing


def _in_words(error: Exception) -> str:
    """Why the cycle failed; leads read the part before the first colon in their language."""
    if not _foreseen(error):
        return f"unforeseen error {type(error).__name__}; the log says where"
    return f"a service that learning needs did not answer: {error}" if isinstance(error, Unreachable) else str(error)


def _foreseen(error: Exception) -> bool:
    """Whether the error's message is our own sentence; that of any other error may quote what people wrote."""
    return isinstance(error, SwitchboardError)
