"""Looks back over past weeks: for the command, for the weekly digest, and for the alarm that something has changed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from bot.domain.drift import EVIDENCE, Drift, Measure, drifts
from bot.domain.embedders import known_of
from bot.domain.model_ports import Memory
from bot.domain.outcomes import Outcome, Outcomes
from bot.domain.review import Review, confusions, groups, queue, unfit
from bot.domain.tasks import Task
from bot.flow.classify import BATCH

WEEK = timedelta(days=7)
MOST = 5_000
"""The most conversations that are looked at, the newest first."""
_SAMPLED = 1_000
"""The most conversations of either period that the alarm compares, the newest: enough for every test."""
_BEFORE = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Reviews a task's conversations."""

    results: Outcomes
    memory: Memory
    embedder: str
    """Its name decides which similarities count as near."""
    now: Callable[[], datetime]
    load: Callable[[Task], Awaitable[object]] | None = None
    """Loads the task's memory into this process, before it is asked about many texts; None: this process holds it."""

    async def review(self, task: Task, back: timedelta) -> Review:
        """The review of the conversations decided in the last `back`."""
        now, known = self.now(), known_of(self.embedder)
        outcomes = await self.results.outcomes(task.name, now - back, now, MOST, vectors_by=self.embedder)
        nearest = await self._nearest(task, outcomes)
        loose = unfit(task, outcomes, nearest, known.scale.kin)
        vectors = _matrix(loose)
        similar = await asyncio.to_thread(known.likeness.similarities, vectors, vectors)
        early, late = await self._periods(task, now - WEEK, now - back)
        return Review(
            outcomes,
            queue(outcomes, nearest, known.scale.kin),
            confusions(outcomes),
            await asyncio.to_thread(groups, loose, similar, known.scale.kin),
            await asyncio.to_thread(drifts, early, late),
            min(len(early), len(late)) >= EVIDENCE,
            whole=len(outcomes) < MOST,
        )

    async def drift(self, task: Task) -> Mapping[Measure, Drift]:
        """Compare the last seven days with the four weeks before, at a cost that does not grow."""
        week = self.now() - WEEK
        return await asyncio.to_thread(drifts, *await self._periods(task, week, week - _BEFORE))

    async def _periods(self, task: Task, at: datetime, since: datetime) -> tuple[Sequence[Outcome], Sequence[Outcome]]:
        """(the newest between `since` and `at`, the newest after it): a busy week does not hide the time before."""
        early, late = [
            await self.results.outcomes(task.name, begin, end, _SAMPLED, vectors_by=self.embedder)
            for begin, end in ((since, at), (at, self.now()))
        ]
        return early, late

    async def _nearest(self, task: Task, outcomes: Sequence[Outcome]) -> dict[int, float]:
        """Conversation -> how near the nearest other known text is; only conversations that nobody settled."""
        loose = [(one, one.vector) for one in outcomes if one.vector is not None and not one.settled]
        if loose and self.load is not None:
            await self.load(task)
        nearest: dict[int, float] = {}
        for start in range(0, len(loose), BATCH):
            some = loose[start : start + BATCH]
            vectors, texts = [vector for _, vector in some], [one.text for one, _ in some]
            found = await self.memory.nearest_many(task, vectors, texts, leave_out_itself=True)
            known = zip(some, found, strict=True)
            nearest |= {one.conversation: near.closest for (one, _), near in known if near.corrections or near.anchors}
        return nearest


@dataclass(slots=True)
class DriftWatch:
    """Looks repeatedly whether something has changed, and keeps the result for the metrics."""

    tasks: Sequence[Task]
    reviewer: Reviewer
    latest: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(task, measure) -> whether it has changed; empty while there is not enough evidence."""

    async def step(self) -> int:
        """Look at every task. Always returns 0: there is nothing more to do until the next look."""
        seen: dict[tuple[str, str], bool] = {}
        for task in self.tasks:
            for measure, drift in (await self.reviewer.drift(task)).items():
                seen[task.name, measure.value] = drift.alarm
        self.latest = seen
        return 0


def _matrix(outcomes: Sequence[Outcome]) -> npt.NDArray[np.float32]:
    rows = [one.vector for one in outcomes if one.vector is not None]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(rows[0]) if rows else 0)
