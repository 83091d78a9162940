"""Heavy work runs outside the event loop, so that other tasks continue."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.domain.decisions import Prediction
from bot.domain.errors import TrainingFailed
from bot.domain.learning import Adapter, Cycle, Example, Phase, Side, Source
from bot.domain.memory_vote import Neighbours
from bot.domain.model_ports import Examples, Query, Registry
from bot.domain.tasks import Label
from bot.flow.learn import Learner
from bot.flow.score import Scorer
from tests.fakes import FakeAdapters, FakeWorkshop, fake_classifier
from tests.samples import NOW, TASK
from tests.watchdog import watched_loop

WIDE = replace(TASK, labels=tuple(Label(f"team{n}", f"matter {n}") for n in range(77)), fallback="team0")
CYCLE = Cycle(1, "routing", "a test", Phase.REQUESTED, 0.0)


class Known:
    """So many examples, corrections among them."""

    def __init__(self, imported: int, corrected: int) -> None:
        sources = [*[Source.IMPORT] * imported, *[Source.CORRECTION] * corrected]
        self.all = [
            Example(f"matter {n % 77} number {n}", f"team{n % 77}", source, Side.TRAIN, NOW + timedelta(seconds=n))
            for n, source in enumerate(sources)
        ]

    async def examples(self, task: str) -> list[Example]:
        return self.all


class NoCycle:
    """A registry that keeps nothing."""

    async def next_name(self, task: str) -> str:
        return "routing-1"

    async def update_cycle(self, *_: object) -> None:
        return None


class Sure:
    """Answers as a trained model would, at once."""

    def alphabet(self) -> Sequence[str]:
        return tuple(f"<{n}>" for n in range(80))

    def reads(self, text: str) -> bool:
        return True

    def crosses(self) -> bool:
        return False

    async def predict(self, query: Query, texts: Sequence[str]) -> list[Prediction]:
        await asyncio.sleep(0)  # lets other tasks run, as a call over a network does
        names = query.task.names
        return [Prediction({name: 0.24 if n == 0 else 0.01 for n, name in enumerate(names)}, None) for _ in texts]


def learner(known: Known, trainer: FakeWorkshop, folder: Path) -> Learner:
    classifier = replace(fake_classifier(Neighbours()), predictor=Sure())
    return Learner(
        {WIDE.name: WIDE},
        cast(Examples, known),
        cast(Registry, NoCycle()),
        Scorer(classifier),
        FakeAdapters(),
        trainer,
        folder,
        folder,
        lambda: NOW,
    )


async def test_choosing_what_to_learn_from_among_tens_of_thousands(tmp_path: Path) -> None:
    trainer = FakeWorkshop()
    trainer.failure = TrainingFailed("that is as far as it goes")
    at_work = learner(Known(22_000, 3_000), trainer, tmp_path)
    async with watched_loop():
        with pytest.raises(TrainingFailed):
            await at_work._learn(CYCLE, lambda _share, _doing: None)
    assert len(trainer.runs[0].examples) == 20_000


async def test_fitting_the_temperature_on_thousands_of_answers(tmp_path: Path) -> None:
    known = Known(20_000, 0)
    at_work = learner(known, FakeWorkshop(), tmp_path)
    query = await at_work.scorer.classifier.query(WIDE)
    adapter = Adapter("routing-1", WIDE.name, tmp_path, "starter", {}, 1.0, NOW)
    async with watched_loop():
        weighed = await at_work.weighed(query, adapter, known.all)
    assert 0.25 < weighed.temperature <= 8.0


async def test_the_watchdog_barks() -> None:
    async def stalls() -> None:
        async with watched_loop(most=1_000):
            for number in range(1_001):
                repr(number)

    with pytest.raises(AssertionError, match="the event loop was kept"):
        await stalls()


async def test_the_watchdog_lets_work_in_another_thread_pass() -> None:
    async with watched_loop(most=1_000):
        await asyncio.to_thread(lambda: [repr(number) for number in range(10_000)])
        for number in range(2_000):
            if number % 100 == 0:
                await asyncio.sleep(0)
            repr(number)
