"""A cycle concludes once and completely; missing answers, a lost claim and an error of ours decide nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from bot.domain.decisions import Prediction
from bot.domain.errors import SwitchboardError, TrainingFailed, Unreachable
from bot.domain.learning import (
    Adapter,
    Cycle,
    Example,
    Phase,
    Progress,
    Side,
    Source,
    keep_apart,
    side_of,
    text_key,
)
from bot.domain.memory_vote import Neighbour, Neighbours
from bot.domain.mixture import WORDS as VOICE
from bot.domain.model_ports import Memory, Query, TrainingRun, Vector
from bot.domain.report_posts import LearningReport
from bot.domain.silent_signals import Signal, SignalKind
from bot.domain.tasks import Task
from bot.flow.classify import Classifier
from bot.flow.learn import Learner
from bot.flow.score import Scorer
from tests.fakes import FakeAdapters, FakeEmbedder, FakeKnowledge, FakePredictor, FakeWorkshop, fake_classifier
from tests.fakes_registry import FakeExamples, FakeRegistry
from tests.fakes_voices import FakeVoices
from tests.samples import NOW, TASK

BEFORE, AFTER = "routing-1", "routing-2"
WORDS = {"billing": "charged", "delivery": "parcel", "it": "tunnel", "triage": "weather"}


def right(text: str) -> str | None:
    return text.split()[-1]


def worse(text: str) -> str | None:
    """Wrong about a seventh of the examples."""
    return "billing" if "7 " in text else right(text)


def poor(text: str) -> str | None:
    """Wrong about half of them."""
    return right(text) if "charged" in text or "parcel" in text else "billing"


@dataclass
class Flaky(FakePredictor):
    """Gives no answer where a test says so."""

    silent: Callable[[str | None, int], bool] = lambda _adapter, _time: False
    """(adapter that is asked, number of earlier questions) -> whether there is no answer."""
    times: int = 0

    def __post_init__(self) -> None:
        FakePredictor.__init__(self)

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        self.times += 1
        if self.silent(query.adapter.name if query.adapter else None, self.times - 1):
            raise Unreachable("model server: timed out")
        return await super().predict(query, texts)


@dataclass
class School:
    """A champion that is always right, examples, and a learner over fakes alone."""

    predictor: Flaky = field(default_factory=Flaky)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    examples: FakeExamples = field(default_factory=FakeExamples)
    trainer: FakeWorkshop = field(default_factory=FakeWorkshop)
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    adapters: FakeAdapters = field(default_factory=FakeAdapters)
    pauses: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        self.predictor.rules |= {BEFORE: right, AFTER: right}
        self.examples.kept = [
            Example(f"{word} {n} {label}", label, Source.IMPORT, Side.HELD_OUT if n % 2 else Side.TRAIN, NOW)
            for label, word in WORDS.items()
            for n in range(60)
        ]

    @property
    def classifier(self) -> Classifier:
        return replace(fake_classifier(Neighbours(), self.predictor), embedder=self.embedder, registry=self.registry)

    @property
    def learner(self) -> Learner:
        return Learner(
            tasks={"routing": TASK},
            examples=self.examples,
            registry=self.registry,
            scorer=Scorer(self.classifier, self.pauses),
            adapters=self.adapters,
            trainer=self.trainer,
            runs=Path("runs"),
            base_path=Path("base"),
            now=lambda: NOW,
        )

    async def has_champion(self) -> None:
        champion = Adapter(BEFORE, "routing", Path("runs"), "starter", dict.fromkeys(TASK.names, "x"), 1.0, NOW)
        await self.registry.add_adapter(champion)
        await self.registry.promote("routing", BEFORE, "test", "", NOW, base="starter")

    async def learns(self) -> Cycle:
        """One step on a requested cycle, and its outcome."""
        await self.registry.request_cycle("routing", "test", f"key {len(self.registry.known)}", NOW)
        assert await self.learner.step() == 1
        return self.registry.known[-1]

    async def serving(self) -> str | None:
        champion = await self.registry.champion("routing", "starter")
        return champion.name if champion else None


@pytest.fixture
async def school() -> School:
    built = School()
    await built.has_champion()
    return built


async def test_a_candidate_that_proves_better_serves_and_leads_hear_of_it(school: School) -> None:
    school.predictor.rules[BEFORE] = poor
    cycle = await school.learns()
    assert cycle.verdict is not None
    assert (cycle.phase, cycle.verdict.promoted, await school.serving()) == (Phase.DONE, True, AFTER)
    [report] = school.registry.posts
    assert isinstance(report.content, LearningReport)
    assert (report.content.adapter, report.content.promoted) == (AFTER, True)
    assert report.content.reasons[-1].startswith("asks below 0.60, as the settings say")


async def test_a_candidate_that_is_worse_does_not_serve_and_is_unloaded(school: School) -> None:
    school.predictor.rules[AFTER] = worse
    school.adapters.loaded = {AFTER}
    cycle = await school.learns()
    assert cycle.verdict is not None
    assert (cycle.verdict.promoted, await school.serving()) == (False, BEFORE)
    assert school.adapters.loaded == set()


def while_asking(adapter: str) -> Callable[[str | None, int], bool]:
    return lambda asked, _time: asked == adapter


@pytest.mark.parametrize("asked", [BEFORE, AFTER])
async def test_a_server_that_falls_silent_decides_nothing(school: School, asked: str) -> None:
    """A champion without answers looks worse than any candidate, and a candidate without answers like a failed one."""
    school.predictor.rules[AFTER] = worse
    school.predictor.silent = while_asking(asked)
    cycle = await school.learns()
    assert (cycle.phase, cycle.verdict, await school.serving()) == (Phase.FAILED, None, BEFORE)
    assert "silent" in cycle.problem or "timed out" in cycle.problem
    assert school.registry.posts == []
    assert [adapter.name for adapter in await school.registry.adapters("routing")] == [BEFORE]


async def test_silence_in_the_middle_of_scoring_is_silence(school: School) -> None:
    school.predictor.rules[AFTER] = worse
    school.predictor.silent = lambda asked, time: asked == BEFORE and time % 2 == 1
    assert (await school.learns()).phase is Phase.FAILED
    assert await school.serving() == BEFORE


async def test_an_embedder_that_falls_silent_decides_nothing_either(school: School) -> None:
    school.embedder.failure = Unreachable("embedder: timed out")
    assert ((await school.learns()).phase, await school.serving()) == (Phase.FAILED, BEFORE)


async def test_a_server_that_comes_back_in_time_is_asked_again(school: School) -> None:
    school.pauses = (0.0, 0.0)
    school.predictor.rules[BEFORE] = poor
    school.predictor.silent = lambda _asked, time: time in (0, 3, 4)
    cycle = await school.learns()
    assert cycle.verdict is not None
    assert cycle.verdict.promoted
    assert cycle.verdict.figures["n"] == 120, "every example was answered, those of the silence included"


async def test_an_unforeseen_error_fails_the_cycle_once(school: School, caplog: pytest.LogCaptureFixture) -> None:
    school.examples.failure = ZeroDivisionError("somebody's words")
    cycle = await school.learns()
    assert (cycle.phase, cycle.problem) == (Phase.FAILED, "unforeseen error ZeroDivisionError; the log says where")
    assert await school.learner.step() == 0, "it is not taken up again"
    [said] = [record for record in caplog.records if record.message == "learning failed"]
    assert said.exc_info is not None
    assert school.trainer.runs == []


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (TrainingFailed("killed by SIGKILL"), "killed by SIGKILL"),
        (Unreachable("no connection"), "a service that learning needs did not answer: no connection"),
    ],
)
async def test_a_foreseen_error_fails_the_cycle_in_its_own_words(
    school: School, failure: SwitchboardError, problem: str
) -> None:
    school.trainer.failure = failure
    cycle = await school.learns()
    assert (cycle.phase, cycle.problem) == (Phase.FAILED, problem)


async def test_a_cycle_of_a_task_that_the_settings_no_longer_have_fails_in_a_sentence(school: School) -> None:
    await school.registry.request_cycle("sentiment", "test", "key", NOW)
    assert await school.learner.step() == 1
    assert school.registry.known[-1].problem == "tasks.sentiment: the settings have no such task any more"


@dataclass
class Overtaken(FakeWorkshop):
    """While it trains, another process claims the cycle: our lock ended with its connection."""

    registry: FakeRegistry = field(default_factory=FakeRegistry)
    finished: bool = False

    def __post_init__(self) -> None:
        FakeWorkshop.__init__(self)

    async def train(self, run: TrainingRun, progress: Progress) -> Path:
        async with self.registry.claim_cycle(NOW) as theirs:
            assert theirs is not None
        path = await super().train(run, progress)
        self.finished = True
        return path


async def test_a_lost_claim_stores_no_verdict_and_no_failure(school: School) -> None:
    school.predictor.rules[BEFORE] = poor
    school.trainer = Overtaken(registry=school.registry)
    cycle = await school.learns()
    assert cycle.phase in (Phase.REQUESTED, Phase.TRAINING, Phase.SCORING), "it is the other process's to conclude"
    assert (cycle.verdict, cycle.problem, school.registry.posts) == (None, "", [])
    assert await school.serving() == BEFORE


async def test_scores_are_of_every_example_or_there_are_none(school: School) -> None:
    school.predictor.silent = lambda _asked, time: time == 1
    scorer = Scorer(school.classifier, pauses=())
    held_out = [example for example in school.examples.kept if example.side is Side.HELD_OUT]
    query = await school.classifier.query(TASK)
    with pytest.raises(Unreachable, match="no figures and no verdict"):
        await scorer.score(query, held_out)
    assert len(await scorer.score(query, held_out)) == len(held_out)


class Watched(FakeKnowledge):
    """Records whether it was told to hide the text itself."""

    def __init__(self) -> None:
        super().__init__(Neighbours())
        self.hid: list[bool] = []

    async def nearest_many(
        self,
        task: Task,
        vectors: Sequence[Vector],
        texts: Sequence[str],
        leave_out_itself: bool = False,
        askers: Sequence[str] = (),
    ) -> list[Neighbours]:
        self.hid += [leave_out_itself] * len(texts)
        return await super().nearest_many(task, vectors, texts, leave_out_itself)


async def test_what_is_scored_is_hidden_from_the_memory(school: School) -> None:
    memory = Watched()
    classifier = replace(school.classifier, memory=cast(Memory, memory))
    await Scorer(classifier).score(await classifier.query(TASK), school.examples.kept[:3])
    assert memory.hid == [True] * 3


async def test_what_a_mixture_proved_is_counted_on_what_training_kept_apart(school: School) -> None:
    """Here all answers are right on what was set aside, and near known texts: .9 of the adapter, pooled with others."""
    school.examples.kept += [
        Example(f"{word} number {n} {label}", label, Source.IMPORT, Side.TRAIN, NOW)
        for label, word in WORDS.items()
        for n in range(400)
    ]
    training_set = [e for e in school.examples.kept if e.side is Side.TRAIN]
    _, apart = keep_apart(training_set)
    sure = {e.label: {name: 0.91 if name == e.label else 0.03 for name in TASK.names} for e in apart}
    voices = FakeVoices(unheard={text_key(e.text): {VOICE: sure[e.label]} for e in apart})
    found = Neighbours(anchors=(Neighbour(1, "billing", 0.8),))
    classifier = replace(fake_classifier(found, school.predictor), registry=school.registry, fitted=voices)
    learner = replace(school.learner, scorer=Scorer(classifier, ()))
    candidate = Adapter(AFTER, "routing", Path("runs"), "starter", dict.fromkeys(TASK.names, "x"), 1.0, NOW)
    mixture = (await learner.weighed(await classifier.query(TASK), candidate, training_set)).mixture
    assert mixture.proved is not None and mixture.scope is not None
    assert mixture.proved.n == len(apart) >= 100
    assert mixture.proved.keeps(0.95) == mixture.proved.at(0.5)
    assert mixture.scope.distances[0] == pytest.approx(0.2)
    alike = {name: 0.9999 if name == "it" else 0.0001 / 3 for name in TASK.names}
    assert mixture.scope.holds(alike, 0.8)
    assert not mixture.scope.holds(dict.fromkeys(TASK.names, 0.25), 0.7)


@dataclass
class FakeSignals:
    """Signals of two people; `tests/integration/db/test_silent_signals.py` tests what the real one reads."""

    asked: int = 0

    async def signals(self, task: Task, limit: int = 0) -> Sequence[Signal]:
        self.asked += 1
        texts = [text for n in range(9) if side_of(text := f"shown without saying it {n}") is Side.TRAIN]
        return [Signal(SignalKind.CONFIRMATION, n, "it", text, NOW) for n, text in enumerate(texts)]


async def test_silent_signals_are_learned_only_where_the_settings_say_so_and_never_judge(school: School) -> None:
    signals = FakeSignals()
    for share, learned in ((0.0, 0), (0.1, 3)):
        task = replace(TASK, learning=replace(TASK.learning, silent_signals=share))
        learner = replace(school.learner, tasks={"routing": task}, signals=signals)
        await school.registry.request_cycle("routing", "test", f"share {share}", NOW)
        assert await learner.step() == 1
        run = school.trainer.runs[-1]
        shown = [example for example in run.examples if example.source is Source.SIGNAL]
        assert [(one.label, one.side) for one in shown] == [("it", Side.TRAIN)] * learned
        verdict = school.registry.known[-1].verdict
        assert verdict is not None
        assert verdict.figures["n"] == 120, "as many judge as before"
    assert signals.asked == 1
