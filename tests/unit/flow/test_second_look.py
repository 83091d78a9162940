"""The second look asks voices that have not learned from a text, and a failure of one task does not affect others."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from bot.domain.asking import Record
from bot.domain.guards import Guards
from bot.domain.model_ports import Said, Vector
from bot.domain.second_look import Ruling, SecondLooks, Verdicts
from bot.flow.second_look import SecondLook
from tests.fakes_voices import FakeVoices
from tests.samples import NOW, TASK

SAYS_IT = {"words": {"billing": 0.0005, "it": 0.9994, "delivery": 0.0001}}
SAYS_BILLING = {"words": {"billing": 0.9994, "it": 0.0005, "delivery": 0.0001}}
DELIVERY = Ruling(1, "slack:lea", "billing", "delivery", "seen", "my laptop is broken")
BILLING = Ruling(2, "slack:lea", "it", "billing", "new", "I was charged twice", held=True)


@dataclass
class Looks:
    """Corrections that a test gives."""

    known: list[Ruling]
    settled: list[Verdicts] = field(default_factory=list)
    broken: str = ""
    read: list[int] = field(default_factory=list)
    """The texts whose vectors were requested."""

    async def rulings(self, task: str, now: datetime) -> list[Ruling]:
        if task == self.broken:
            raise ZeroDivisionError
        return self.known

    async def vectors(self, embedder: str, examples: Sequence[int]) -> Mapping[int, Vector]:
        self.read += examples
        return {}

    async def settle(self, task: str, verdicts: Verdicts, now: datetime) -> int:
        self.settled.append(verdicts)
        return len(verdicts.hold) + len(verdicts.free)


def voices() -> FakeVoices:
    told = FakeVoices(SAYS_BILLING, {TASK.name: "stamp"}, unheard={"seen": SAYS_IT})
    told.loud_without = {"words": 1.0}
    told.counted = {"billing": 30, "delivery": 30, "it": 30}
    return told


async def test_a_learned_text_is_judged_without_itself_and_one_held_back_by_what_is_known_now() -> None:
    looks = Looks([DELIVERY, BILLING])
    assert await SecondLook([TASK], looks, voices(), "fake", lambda: NOW).look(TASK) == 2
    assert looks.settled == [Verdicts(hold=(1,), free=(2,))]
    assert looks.read == [2], "of a learned text the voices know what they say without it"


async def test_corrections_to_a_team_that_the_voices_hardly_know_are_not_judged() -> None:
    looks, told = Looks([DELIVERY, BILLING]), voices()
    told.counted = {"billing": 30, "delivery": 19, "it": 30}
    assert await SecondLook([TASK], looks, told, "fake", lambda: NOW).look(TASK) == 1
    assert looks.settled == [Verdicts(free=(2,))]


async def test_before_the_voices_are_fitted_nothing_is_looked_at() -> None:
    looks = Looks([DELIVERY])
    assert await SecondLook([TASK], looks, FakeVoices(), "fake", lambda: NOW).look(TASK) == 0
    assert looks.settled == []


async def test_where_the_settings_leave_neighbours_out_there_is_no_second_look() -> None:
    looks = Looks([DELIVERY])
    task = replace(TASK, learning=replace(TASK.learning, guards=Guards(neighbours=False)))
    assert await SecondLook([task], looks, voices(), "fake", lambda: NOW).step() == 0
    assert looks.settled == []


async def test_a_task_that_fails_is_said_and_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    looks, other = Looks([DELIVERY], broken="broken"), replace(TASK, name="broken")
    told = voices()
    told.stamps["broken"] = "stamp"
    with caplog.at_level(logging.ERROR):
        await SecondLook([other, TASK], looks, told, "fake", lambda: NOW).step()
    assert [record.message for record in caplog.records] == ["second look at corrections failed"]
    assert looks.settled == [Verdicts(hold=(1,))]


_: type[SecondLooks] = Looks


async def test_how_often_the_voices_are_right_counts() -> None:
    """Sixty corrections of what the voices are fairly sure of: mistakes of theirs, if they make some."""
    rulings = [Ruling(n, "slack:lea", "billing", "it", f"key {n}", f"text {n}") for n in range(60)]
    against: Said = {"words": {"billing": 0.83, "it": 0.11, "delivery": 0.06}}
    for record, held in ((None, 60), (Record((("it", 45, 100, 80, ""),)), 0)):
        told = replace(voices(), said=against, record=record)
        looks = Looks(rulings)
        assert await SecondLook([TASK], looks, told, "fake", lambda: NOW).look(TASK) == held
