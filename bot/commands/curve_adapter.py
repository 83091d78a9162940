"""`switchboard curve --adapter`: the fine-tuned adapter's part of a learning curve, with trainings of its own."""

import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.curve_progress import CurveProgress
from bot.commands.training_consent import may_train
from bot.console import say, share_of
from bot.domain.errors import TrainingFailed, Unreachable
from bot.domain.learning import Example
from bot.domain.learning_curve import Draw, Measured, planned
from bot.domain.model_ports import Lesson, Query, TrainingRun
from bot.domain.plural import counted
from bot.domain.tasks import Task
from bot.domain.training_estimate import TrainingEstimate, estimated
from bot.flow.adapter_curve import AdapterCurveMeasurer, Measuring, Workshop, as_examples, planned_trainings
from bot.model_stack import ModelStack, adopt_starter_seed, build_model_stack, model_running
from bot.settings import Settings
from bot.store import Store, now

Adapters = Annotated[bool, typer.Option("--adapter", help="Also train an adapter for each size: takes minutes each.")]
AdapterDraws = Annotated[
    int, typer.Option("--adapter-draws", min=1, max=50, help="Subsets of each size that an adapter is trained on.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, however long the trainings take.")]


@dataclass(frozen=True, slots=True)
class AdapterCurve:
    """Trainings that the user agreed to, and those that are measured already."""

    settings: Settings
    store: Store
    models: ModelStack
    query: Query
    lessons: Sequence[Lesson]
    judging: Sequence[Example]
    progress: CurveProgress
    found: Sequence[Measured]
    missing: Sequence[Draw]

    async def measured(self) -> list[Measured]:
        """Every draw. Each one measured is stored at once, so that nothing is trained twice."""
        found = list(self.found)
        if self.missing:
            async with self._measurer() as measurer:
                await measurer.sweep()
                with share_of("training") as told:
                    async with aclosing(measurer.measure(self.missing, told)) as all_of_them:
                        async for one in all_of_them:
                            self.progress.add(one)
                            found.append(one)
        return found

    @asynccontextmanager
    async def _measurer(self) -> AsyncIterator[AdapterCurveMeasurer]:
        from inference.voices.fitted import FittedVoices  # needs scikit-learn, which most commands do without

        learner, embedder = self.models.learner, self.store.embedder
        if learner.texts is None:
            raise TrainingFailed("nothing here removes the texts of a training, so none is begun")
        workshop = Workshop(learner.trainer, learner.adapters, learner.texts, learner.runs, learner.base_path)
        with tempfile.TemporaryDirectory() as folder:
            voices = FittedVoices(Path(folder), embedder.name)
            async with model_running(self.settings, self.store, self.models):
                await _answers(self.models)
                vectors = await embedder.embed([example.text for example in self.judging])
                measuring = Measuring(self.lessons, self.judging, vectors)
                yield AdapterCurveMeasurer(workshop, learner.scorer, voices, self.query, measuring, now)


async def agreed_adapters(
    settings: Settings,
    store: Store,
    stack: AsyncExitStack,
    task: Task,
    lessons: Sequence[Lesson],
    judging: Sequence[Example],
    draws: int,
    yes: bool,
) -> AdapterCurve | None:
    """What is to be trained, once the user agreed; None when they declined. Starts no model server."""
    models = await build_model_stack(settings, store, stack)
    await adopt_starter_seed(settings, store)  # before anything else gives out codes: the seed's codes come first
    query = await models.classifier.query(task)
    identity = _identity(settings, store, models, query)
    progress = CurveProgress(settings.model.runs.parent / "curves", f"{task.name}.adapter", identity, lessons, judging)
    wanted = planned(Counter(lesson.label for lesson in lessons), draws)
    found = [one for one in progress.measured() if one.draw in wanted]
    missing = [draw for draw in wanted if draw not in {one.draw for one in found}]
    if found and missing:
        say(f"already measured: {len(found)} of {counted(len(wanted), 'adapter')}")
    if missing:
        say(counted(len(missing), "adapter is to be trained", "adapters are to be trained"))
        if not await may_train(_Estimator(models, query, lessons, missing), task, yes):
            say("nothing was trained; --yes does not ask")
            return None
    return AdapterCurve(settings, store, models, query, lessons, judging, progress, found, missing)


class _Estimator:
    """Estimates how long all missing trainings take together."""

    def __init__(self, models: ModelStack, query: Query, lessons: Sequence[Lesson], missing: Sequence[Draw]) -> None:
        self._models, self._query, self._lessons, self._missing = models, query, lessons, missing

    async def __call__(self, task: Task) -> TrainingEstimate:
        learner = self._models.learner
        if learner.estimator is None:
            raise TrainingFailed("nobody measures it here")
        known = as_examples(self._lessons, now())
        run = TrainingRun(Path(), learner.base_path, task, self._query.codes, known)
        trainings = planned_trainings(self._lessons, self._missing, now())
        pace = await learner.estimator.probe.pace(run, [one.learned for one in trainings])
        return replace(estimated(pace, trainings, task.learning.price_per_hour), rehearsed=False)


async def _answers(models: ModelStack) -> None:
    """Raise Unreachable now rather than after minutes of training an adapter that no server could answer with."""
    try:
        await models.adapters.loaded()
    except Unreachable as error:
        raise Unreachable(f"--adapter needs the model server: start it, or leave --adapter out ({error})") from error


def _identity(settings: Settings, store: Store, models: ModelStack, query: Query) -> str:
    """Everything that changes a training's result, except its examples; the base's weights by size and time."""
    folder, task = models.learner.base_path, query.task
    weights = sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in folder.glob("*.safetensors"))
    labels = [[one.name, one.means, list(one.examples)] for one in task.labels]
    prompt = [task.question, task.fallback, labels, sorted(query.codes.items())]
    return json.dumps([store.embedder.name, settings.model.base, weights, prompt, settings.mask_training])


def adapter_notes(draws: int) -> list[str]:
    """Notes on arms with an adapter."""
    each = "one draw" if draws == 1 else f"{draws} draws"
    luck = " (so their intervals are over messages alone)" if draws == 1 else ""
    return [
        "the memory of corrections takes no part: it knows texts by heart",
        f"the adapter and the mixture with it were measured on {each} a size{luck}; they are compared with others on "
        "the draws that both have",
        "the temperature and the weights of the mixture with the adapter are fitted on what its training keeps apart; "
        "of few examples nothing is, then they are the usual ones, where a learning cycle would rehearse",
    ]
