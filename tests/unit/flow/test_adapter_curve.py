"""The adapter's part of a learning curve: trained on a draw, asked, and removed with all its files."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.domain.comparison import SERVED
from bot.domain.decisions import Prediction
from bot.domain.errors import TrainingFailed, Unreachable
from bot.domain.learning import Adapter, Example, Progress, Side, Source, text_key
from bot.domain.learning_curve import Draw, Measured
from bot.domain.memory_vote import Neighbours
from bot.domain.mixture import ADAPTER, WORDS
from bot.domain.model_ports import Lesson, Query, TrainingRun
from bot.flow.adapter_curve import AdapterCurveMeasurer, Measuring, Workshop, as_examples, planned_trainings
from bot.flow.score import Scorer
from inference.run_folder import RunFolders, adapter_of, write_run
from tests.fakes import FakeAdapters, FakePredictor, FakeWorkshop, fake_classifier
from tests.fakes_voices import FakeVoices
from tests.samples import NOW, TASK

CODES = {name: f"<{n}>" for n, name in enumerate(TASK.names)}
LESSONS = [Lesson(f"{label} {n}", f"{label} {n}", label, None) for label in ("billing", "it") for n in range(12)]
LETTERS = "abcdefghijklmnopqrst"
MANY = [Lesson(f"{a}{b}{c}", f"laptop {a}{b}{c}", "it", None) for a in LETTERS for b in LETTERS for c in "abcd"]
MESSAGES = [
    Example(text, label, Source.IMPORT, Side.HELD_OUT, NOW)
    for text, label in (("charged twice", "billing"), ("my laptop is broken", "it"), ("Счёт не пришёл", "billing"))
]
BILLING = {"billing": 0.7, "delivery": 0.1, "it": 0.1, "triage": 0.1}


class Trainer(FakeWorkshop):
    """Writes what a training writes."""

    async def train(self, run: TrainingRun, progress: Progress) -> Path:
        write_run(run)
        adapter_of(run.folder).mkdir()
        return await super().train(run, progress)


@dataclass
class Served(FakeAdapters):
    """A server that has loaded whatever was asked."""

    history: list[str] = field(default_factory=list)
    away: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    async def unload(self, name: str) -> None:
        if self.away:
            raise Unreachable("away")
        self.history.append(name)
        await super().unload(name)


class Predictor(FakePredictor):
    """Records which adapters it was asked."""

    def __init__(self, adapters: Served) -> None:
        super().__init__()
        self.adapters = adapters
        self.by: list[Adapter] = []

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        assert query.adapter is not None
        assert query.adapter.path.is_dir()
        await self.adapters.load(query.adapter)
        self.by.append(query.adapter)
        return await super().predict(query, texts)


@dataclass
class Bench:
    """A measurer and everything it works with."""

    folder: Path
    trainer: Trainer = field(default_factory=Trainer)
    served: Served = field(default_factory=Served)
    voices: FakeVoices = field(default_factory=lambda: FakeVoices({WORDS: BILLING}))
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.predictor = Predictor(self.served)

    def measurer(self, lessons: Sequence[Lesson] = LESSONS) -> AdapterCurveMeasurer:
        workshop = Workshop(self.trainer, self.served, RunFolders(self.folder), self.folder, self.folder / "base")
        scorer = Scorer(fake_classifier(Neighbours((), ()), self.predictor), pauses=())
        measuring = Measuring(lessons, MESSAGES, [None] * len(MESSAGES))
        return AdapterCurveMeasurer(workshop, scorer, self.voices, Query(TASK, CODES, None), measuring, lambda: NOW)

    async def measured(self, draws: Sequence[Draw], lessons: Sequence[Lesson] = LESSONS) -> list[Measured]:
        found = self.measurer(lessons).measure(draws, lambda share, doing: self.told.append(f"{share:.2f} {doing}"))
        return [one async for one in found]

    def left(self) -> list[str]:
        return [one.name for one in self.folder.iterdir()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_each_draw_is_trained_asked_and_thrown_away(bench: Bench) -> None:
    small, whole = await bench.measured([Draw(5, 0), Draw(0, 0)])
    assert [(one.draw, one.examples) for one in (small, whole)] == [(Draw(5, 0), 10), (Draw(0, 0), 24)]
    assert [len(run.examples) for run in bench.trainer.runs] == [10, 24]
    assert [len(lessons) for lessons in bench.voices.fits] == [10, 24]
    names = [run.folder.name for run in bench.trainer.runs]
    assert len(set(names)) == 2 and bench.served.history == names
    assert bench.served.loaded == set() and bench.left() == []
    assert "0.50 adapter of 5 a team, 1 of 2: asking" in bench.told
    assert "1.00 adapter of all examples, 2 of 2: asking" in bench.told


async def test_a_text_that_the_base_cannot_read_is_wrong_alone_and_left_to_the_others_in_the_mixture(
    bench: Bench,
) -> None:
    [one] = await bench.measured([Draw(5, 0)])
    assert one.right[ADAPTER] == [True, True, False]
    assert one.right[SERVED] == [True, True, True]


async def test_few_examples_have_the_usual_weights_and_many_those_fitted_on_what_was_kept_apart(bench: Bench) -> None:
    await bench.measured([Draw(5, 0)], MANY)
    assert bench.predictor.by[-1].mixture.weights[ADAPTER] == pytest.approx(0.22)
    bench.voices.unheard = {text_key(lesson.text): {WORDS: BILLING} for lesson in MANY}
    await bench.measured([Draw(0, 0)], MANY)
    assert bench.predictor.by[-1].mixture.weights == {ADAPTER: 0.5, WORDS: 0.5}
    assert bench.predictor.by[-1].temperature < 1, "nine tenths of it were right, all of it was"


async def test_a_training_that_fails_leaves_no_text(bench: Bench) -> None:
    bench.trainer.failure = TrainingFailed("out of memory")
    with pytest.raises(TrainingFailed):
        await bench.measured([Draw(5, 0)])
    assert bench.left() == []


async def test_a_server_that_is_away_leaves_no_text(bench: Bench) -> None:
    bench.predictor.failure = Unreachable("away")
    bench.served.away = True
    with pytest.raises(Unreachable):
        await bench.measured([Draw(5, 0)])
    assert bench.left() == []


async def test_what_a_killed_command_left_goes_and_what_serves_stays(bench: Bench) -> None:
    run = TrainingRun(bench.folder / "routing-curve-abc", bench.folder, TASK, CODES, as_examples(LESSONS, NOW))
    write_run(run)
    write_run(replace(run, folder=bench.folder / "routing-3"))
    await bench.measurer().sweep()
    assert bench.left() == ["routing-3"]
    assert bench.served.history == ["routing-curve-abc"]


def test_an_estimate_counts_what_each_draw_learns_from_and_keeps_apart() -> None:
    small, whole = planned_trainings(MANY, [Draw(5, 0), Draw(0, 0)], NOW)
    assert (small.learned, small.kept_apart) == (5, 0)
    assert whole.learned + whole.kept_apart == 1600 and 100 <= whole.kept_apart <= 220
