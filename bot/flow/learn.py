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
from bot.domain.decisions import decide
from bot.domain.errors import SwitchboardError, Unreachable, UsageError
from bot.domain.gate import judge
from bot.domain.learning import (
    Adapter,
    Cycle,
    Example,
    Phase,
    Progress,
    Score,
    Side,
    Verdict,
    fit_temperature,
    keep_apart,
    label_counts,
    replayed,
    settle,
    text_key,
)
from bot.domain.model_ports import AdapterHost, Examples, Query, Registry, Trainer, TrainingRun
from bot.domain.ports import Change, Outbox
from bot.domain.tasks import Task
from bot.flow.classify import BATCH, Classifier

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
    outbox: Outbox
    classifier: Classifier
    adapters: AdapterHost
    trainer: Trainer
    runs: Path
    base_path: Path
    now: Callable[[], datetime]

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
                verdict = await self._learn(cycle, told or (lambda _share, _doing: None))
            except SwitchboardError as error:
                log.error("learning failed", extra={"cycle": cycle.id, "problem": type(error).__name__})
                await self.registry.conclude_cycle(cycle.id, None, str(error), self.now())
            else:
                await self.registry.conclude_cycle(cycle.id, verdict, "", self.now())
        return 1

    async def _learn(self, cycle: Cycle, told: Progress) -> Verdict:
        task = self.tasks[cycle.task]
        settled = await asyncio.to_thread(settle, await self.examples.examples(task.name))
        known = [e for e in settled if e.label in task.names]
        query = await self.classifier.query(task)
        to_learn_from = [e for e in known if e.side is Side.TRAIN]
        training_set = await asyncio.to_thread(replayed, to_learn_from, MAX_TRAINING_SET)
        candidate = await self._train(cycle, query, training_set, told)
        async with self._telling(cycle, Phase.SCORING, candidate.name, told) as tell:
            candidate = replace(candidate, temperature=await self._temperature(query, candidate, training_set))
            held_out = [e for e in known if e.side is Side.HELD_OUT]
            verdict = await self._judge(query, candidate, held_out, tell)
        await self._conclude(task, candidate, verdict)
        return verdict

    async def _train(self, cycle: Cycle, query: Query, training_set: Sequence[Example], told: Progress) -> Adapter:
        _check_enough(query.task, training_set)
        name = cycle.adapter or await self.registry.next_name(query.task.name)
        async with self._telling(cycle, Phase.TRAINING, name, told) as tell:
            run = TrainingRun(self.runs / name, self.base_path, query.task, query.codes, training_set)
            path = await self.trainer.train(run, tell)
        return Adapter(name, query.task.name, path, self.classifier.base, query.codes, 1.0, self.now())

    async def _temperature(self, query: Query, candidate: Adapter, training_set: Sequence[Example]) -> float:
        """Fitted on what training kept apart: it looked at it but never learned from it. 1 when it kept nothing."""
        _, slice_ = await asyncio.to_thread(keep_apart, training_set)
        asked = replace(query, adapter=candidate)
        scores: list[tuple[Mapping[str, float], str]] = []
        for batch in _batches(slice_):
            predictions = await self.classifier.predict(asked, [e.text for e in batch])
            scores += [(p.probabilities, e.label) for p, e in zip(predictions, batch, strict=True)]
        return await asyncio.to_thread(fit_temperature, scores)

    async def _judge(self, query: Query, candidate: Adapter, held_out: Sequence[Example], tell: Progress) -> Verdict:
        """Champion and candidate as whole systems, memory included, on the same held-out examples."""
        champion = query.adapter
        scored = 0

        def told(more: int) -> None:
            nonlocal scored
            scored += more
            tell(scored / (len(held_out) * (2 if champion else 1)), "candidate against champion")

        after = await self.score(replace(query, adapter=candidate), held_out, told)
        if champion is None:
            return judge(None, after)
        before = await self.score(query, held_out, told)
        new_labels = [name for name in query.task.names if name not in champion.codes]
        return judge(before, after, new_labels)

    async def score(
        self, query: Query, examples: Sequence[Example], told: Callable[[int], None] | None = None
    ) -> list[Score]:
        """How the whole system answers each example, itself hidden from the memory, in order.

        `told` hears after each batch how many more are scored.
        """
        scores: list[Score] = []
        for batch in _batches(examples):
            considered = await self.classifier.consider(query, [e.text for e in batch], leave_out_itself=True)
            for example, known in zip(batch, considered, strict=True):
                decision = decide(query.task, known.heard, known.found, may_ask=True)
                scores.append(
                    Score(text_key(example.text), example.source, example.label, decision.label, decision.probabilities)
                )
            if told:
                told(len(batch))
        return scores

    async def _conclude(self, task: Task, candidate: Adapter, verdict: Verdict) -> None:
        await self.registry.add_adapter(candidate)
        if verdict.promoted:
            await self.registry.promote(task.name, candidate.name, "gate", "; ".join(verdict.reasons), self.now())
        else:
            await self.adapters.unload(candidate.name)
        await self.outbox.add(compose.learned(task, candidate.name, verdict), self.now())
        log.info("judged", extra={"adapter": candidate.name, "promoted": verdict.promoted, **verdict.figures})

    @asynccontextmanager
    async def _telling(self, cycle: Cycle, phase: Phase, adapter: str, told: Progress) -> AsyncIterator[Progress]:
        """Progress that reaches the caller at once, and everybody else through the registry twice a second."""
        share = 0.0

        def tell(done: float, doing: str) -> None:
            nonlocal share
            share = done
            told(done, f"{phase.value}: {doing}")

        async def publish() -> None:
            while True:
                with contextlib.suppress(Unreachable):  # a figure nobody sees for half a second is no loss
                    await self.registry.update_cycle(cycle.id, phase, share, adapter)
                await asyncio.sleep(_TELL_EVERY)

        publishing = asyncio.create_task(publish(), name=f"progress of {adapter}")
        try:
            yield tell
        finally:
            publishing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await publishing


def _check_enough(task: Task, training_set: Sequence[Example]) -> None:
    counts = label_counts(training_set)
    starving = [name for name in task.names if counts[name] < MIN_PER_LABEL]
    if len(task.names) - len(starving) < 2:
        raise UsageError(
            f"nothing to learn from: {', '.join(starving)} have fewer than {MIN_PER_LABEL} examples; "
            "add some with `switchboard import`, or correct some decisions"
        )


def _batches(examples: Sequence[Example]) -> list[Sequence[Example]]:
    return [examples[start : start + BATCH] for start in range(0, len(examples), BATCH)]
