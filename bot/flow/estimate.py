"""What the next learning cycle's training will take, measured by a probe before it begins."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain.learning import Example
from bot.domain.model_ports import Examples, Query, TrainingProbe, TrainingRun
from bot.domain.tasks import Task
from bot.domain.training_data import check_drawn, draw
from bot.domain.training_estimate import TrainingEstimate, estimated, trainings
from bot.flow.classify import Classifier


@dataclass(frozen=True, slots=True)
class TrainingEstimator:
    """Asks the probe for its pace and adds up the trainings."""

    probe: TrainingProbe
    classifier: Classifier
    examples: Examples
    base_path: Path

    async def __call__(self, task: Task) -> TrainingEstimate:
        """The estimate for a cycle that began now.

        Raises TrainingFailed when the probe failed, and UsageError, with the remedy, where nothing would be trained.
        """
        drawn = await asyncio.to_thread(draw, await self.examples.examples(task.name), frozenset(task.names))
        check_drawn(task, drawn)
        return await self.of(await self.classifier.query(task), drawn.training_set)

    async def of(self, query: Query, training_set: Sequence[Example]) -> TrainingEstimate:
        """The estimate for this training set. Raises TrainingFailed when the probe failed."""
        planned = await asyncio.to_thread(trainings, training_set)
        run = TrainingRun(Path(), self.base_path, query.task, query.codes, training_set)
        pace = await self.probe.pace(run, [training.learned for training in planned])
        return estimated(pace, planned, query.task.learning.price_per_hour)
