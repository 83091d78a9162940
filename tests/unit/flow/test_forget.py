"""Forgetting removes what trainings left on disk, and stops adapters after their last day."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from bot.domain.errors import Refused
from bot.domain.messages import Person
from bot.domain.queries import Erased
from bot.domain.unlearning import Withdrawn
from bot.flow.forget import Forgetter, Unlearner
from tests.samples import NOW, TASK

CARLA = Person("telegram", "7")


@dataclass
class Everything:
    """The database and the run folders, in the order in which they were asked."""

    did: list[str] = field(default_factory=list)
    failing: bool = False
    learned: list[str] = field(default_factory=list)
    """The trainings whose set held words of a forgotten person."""

    async def remove(self, adapters: Collection[str]) -> None:
        self.did.append(f"texts of {' and '.join(adapters) or 'none'} removed")
        if self.failing:
            raise Refused("read-only")

    async def discard(self, adapter: str) -> None:
        self.did.append(f"{adapter} discarded")

    async def erase(self, person: Person, now: datetime) -> Erased:
        self.did.append(f"{person.key} erased")
        if person == CARLA:
            self.learned = ["routing-1", "routing-2"]
        return Erased(1, 2, ("routing-1",), now)

    async def voided(self) -> Collection[str]:
        return self.learned

    async def withdraw_due(self, task: str, base: str, now: datetime) -> Withdrawn | None:
        return None


def forgetter(everything: Everything) -> Forgetter:
    return Forgetter(everything, everything, everything)


async def test_the_files_of_trainings_go_with_the_rest() -> None:
    everything = Everything()
    assert await forgetter(everything).erase(CARLA, NOW) == Erased(1, 2, ("routing-1",), NOW)
    assert everything.did == ["telegram:7 erased", "texts of routing-1 and routing-2 removed"]


async def test_who_taught_nothing_has_no_training_s_files_removed() -> None:
    everything = Everything()
    await forgetter(everything).erase(Person("telegram", "8"), NOW)
    assert everything.did == ["telegram:8 erased", "texts of none removed"]


async def test_nobody_is_told_that_all_is_gone_while_a_file_stays() -> None:
    everything = Everything(failing=True)
    with pytest.raises(Refused):
        await forgetter(everything).erase(CARLA, NOW)
    assert everything.did[-1] == "texts of routing-1 and routing-2 removed"
    everything.failing = False
    await forgetter(everything).erase(CARLA, NOW)
    assert everything.did[-2:] == ["telegram:7 erased", "texts of routing-1 and routing-2 removed"]


@dataclass
class Due:
    """Reports once that the last day of one task's champion has passed."""

    tasks: list[str] = field(default_factory=list)
    gone: Withdrawn | None = None

    async def withdraw_due(self, task: str, base: str, now: datetime) -> Withdrawn | None:
        assert (base, now) == ("starter", NOW)
        self.tasks.append(task)
        gone, self.gone = self.gone, None
        return gone

    async def voided(self) -> Collection[str]:
        return ["routing-2"]


async def test_an_adapter_that_stops_serving_is_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    due = Due(gone=Withdrawn("routing-3", None))
    files = Everything()
    unlearner = Unlearner((TASK,), "starter", due, files, lambda: NOW)
    with caplog.at_level(logging.WARNING):
        assert [await unlearner.step() for _ in range(2)] == [0, 0]
    assert due.tasks == [TASK.name] * 2
    assert files.did == ["texts of routing-2 removed"] * 2, "what another machine or a full disk had kept"
    [said] = caplog.records
    assert said.__dict__["adapter"] == "routing-3" and said.__dict__["serves"] == "no adapter"
