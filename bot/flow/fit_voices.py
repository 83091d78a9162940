"""Keeps the voices beside the model fitted on the latest examples: seconds of work, in a process of its own."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from bot.domain.errors import TrainingFailed, Unreachable
from bot.domain.failures import reason_of
from bot.domain.ledger import Change
from bot.domain.model_ports import ExampleVoices, VoiceLessons
from bot.domain.tasks import Task
from bot.lifecycle import origin

log = logging.getLogger(__name__)

MAX_LESSONS = 20_000
"""With more, a sample of each label is fitted: a fit should take seconds, and 20,000 messages say nearly all."""
_REST = 3.0
"""The rest after a fit, in multiples of what the fit took: an import changes the examples every second."""
_AFTER_FAILURE = 60.0
_DEADLINE = 1_800.0
"""A fit that takes a minute on an idle machine hangs if it takes so many seconds, and other tasks wait for it."""


@dataclass(frozen=True, slots=True)
class VoiceFitter:
    """Fits the voices of every task anew when its examples have changed."""

    name: ClassVar[str] = "fit"
    wakes_on: ClassVar[frozenset[Change]] = frozenset({Change.EXAMPLE})
    tasks: Sequence[Task]
    lessons: VoiceLessons
    voices: ExampleVoices
    embedder: str
    deadline: float = _DEADLINE
    """Seconds for one task's fit."""
    _rests: dict[str, float] = field(default_factory=dict)
    """Task -> when it may be fitted again, on the monotonic clock."""

    async def step(self) -> int:
        """Fit the tasks that have changed and rested. Always returns 0: what changes meanwhile must rest first."""
        for task in self.tasks:
            if time.monotonic() < self._rests.get(task.name, 0.0):
                continue
            began = time.monotonic()
            if await self._fitted(task):
                self._rests[task.name] = time.monotonic() + _REST * (time.monotonic() - began)
            else:
                self._rests[task.name] = time.monotonic() + _AFTER_FAILURE
        return 0

    async def _fitted(self, task: Task) -> bool:
        """Whether this task's voices are up to date now. A failure of one task holds up no other."""
        try:
            async with asyncio.timeout(self.deadline):
                await self.fit(task)
        except Unreachable:
            raise
        except TrainingFailed as error:
            log.error("voices not fitted", extra={"task": task.name, "problem": str(error)})
        except Exception as error:  # noqa: BLE001 - it concerns this task alone, is logged, and is tried again after a rest
            about = {"task": task.name, "problem": reason_of(error), "at": origin(error)}
            log.error("voices not fitted", extra=about)
        else:
            return True
        return False

    async def fit(self, task: Task) -> None:
        """Fit this task's voices now if its examples have changed. Raises TrainingFailed."""
        stamp = await self.lessons.stamp(task, self.embedder)
        if self.voices.fitted_on(task.name) == stamp:
            return
        lessons = await self.lessons.lessons(task, self.embedder, MAX_LESSONS)
        if len({lesson.label for lesson in lessons}) < 2:
            return
        if len(lessons) == MAX_LESSONS:
            log.warning("voices fitted on a sample", extra={"task": task.name, "examples": MAX_LESSONS})
        began = time.monotonic()
        await self.voices.fit(task.name, stamp, lessons)
        seconds = round(time.monotonic() - began, 1)
        log.info("voices fitted", extra={"task": task.name, "examples": len(lessons), "seconds": seconds})
