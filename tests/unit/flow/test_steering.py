"""Answers of a candidate on unseen texts: from the slice set aside, otherwise from a rehearsal, otherwise none."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.domain.errors import TrainingFailed
from bot.domain.learning import Adapter, Example, Side, Source, keep_apart, rehearsed
from bot.domain.memory_vote import Neighbours
from bot.flow.score import Scorer
from bot.flow.steering import Steered, Steering
from tests.fakes import FakeAdapters, FakePredictor, FakeWorkshop, fake_classifier
from tests.samples import NOW, TASK

CANDIDATE = Adapter("routing-2", "routing", Path("runs/routing-2/adapter"), "starter", {}, 3.0, NOW, digest="of it")
REHEARSAL = "routing-2-rehearsal"


def examples(count: int) -> list[Example]:
    labels = TASK.names
    return [
        Example(f"message {n} {labels[n % len(labels)]}", labels[n % len(labels)], Source.IMPORT, Side.TRAIN, NOW)
        for n in range(count)
    ]


def right(text: str) -> str | None:
    return text.split()[-1]


def wrong(text: str) -> str | None:
    return TASK.names[0] if right(text) != TASK.names[0] else TASK.names[1]


@dataclass
class Disk:
    """The folders of trainings."""

    discarded: list[str] = field(default_factory=list)

    async def remove(self, adapters: Collection[str]) -> None:
        raise AssertionError("the candidate's own texts are still needed")

    async def discard(self, adapter: str) -> None:
        self.discarded.append(adapter)


@dataclass
class Stage:
    """The candidate is always wrong, the rehearsal always right: the answers show which of them was asked."""

    predictor: FakePredictor = field(default_factory=FakePredictor)
    adapters: FakeAdapters = field(default_factory=FakeAdapters)
    trainer: FakeWorkshop = field(default_factory=FakeWorkshop)
    disk: Disk = field(default_factory=Disk)
    told: list[str] = field(default_factory=list)

    async def steered(self, training_set: list[Example]) -> Steered:
        self.predictor.rules |= {CANDIDATE.name: wrong, REHEARSAL: right}
        classifier = fake_classifier(Neighbours(), self.predictor)
        steering = Steering(Scorer(classifier, ()), self.adapters, self.trainer, Path("runs"), Path("base"), self.disk)
        query = await classifier.query(TASK)
        return await steering.of(query, CANDIDATE, training_set, lambda _share, doing: self.told.append(doing))


async def test_what_training_kept_apart_is_asked_of_the_candidate_itself() -> None:
    stage, training_set = Stage(), examples(2_000)
    steered = await stage.steered(training_set)
    assert list(steered.slice_) == keep_apart(training_set)[1]
    assert (steered.right, stage.trainer.runs, stage.disk.discarded) == (0, [], [])


async def test_of_less_a_rehearsal_is_asked_what_it_has_not_learned_and_nothing_of_it_stays() -> None:
    stage, training_set = Stage(), examples(300)
    steered = await stage.steered(training_set)
    learned, asked = rehearsed(training_set)
    [run] = stage.trainer.runs
    assert (run.folder, list(run.examples)) == (Path("runs") / REHEARSAL, learned)
    assert list(steered.slice_) == asked and steered.right == len(asked)
    assert [label for _, label in steered.said] == [e.label for e in asked]
    assert stage.told == ["rehearsal, done"]
    assert stage.disk.discarded == [REHEARSAL] and not stage.adapters.loaded


async def test_of_too_little_for_either_nothing_is_known() -> None:
    stage = Stage()
    assert await stage.steered(examples(60)) == Steered([], [])
    assert stage.trainer.runs == []


async def test_a_rehearsal_that_fails_fails_the_cycle() -> None:
    stage = Stage()
    stage.trainer.failure = TrainingFailed("out of memory")
    with pytest.raises(TrainingFailed):
        await stage.steered(examples(300))


async def test_texts_that_the_base_cannot_read_are_not_asked() -> None:
    training_set = examples(300)
    unreadable = [replace(e, text=f"сообщение {e.text}") for e in training_set[:150]]
    steered = await Stage().steered([*unreadable, *training_set[150:]])
    assert steered.slice_ and not any("сообщение" in e.text for e in steered.slice_)
