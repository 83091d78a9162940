"""Forgetting removes what trainings left on disk, and stops adapters after their last day."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from bot.domain.errors import Refused
from bot.domain.messages import Person
from bot.domain.posts import Post
from bot.domain.queries import Erased
from bot.domain.report_posts import LearningReport
from bot.domain.unlearning import Unlearning, Withdrawn
from bot.flow.forget import Forgetter, Unlearner
from bot.platforms.wording import report
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

    async def due(self, task: str, base: str, now: datetime) -> Sequence[Withdrawn]:
        return ()

    async def withdraw(
        self, task: str, base: str, gone: Sequence[Withdrawn], posts: Sequence[Post], now: datetime
    ) -> bool:
        return False


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
    """Says that the last day of one task's champion has passed until it is withdrawn."""

    gone: tuple[Withdrawn, ...]
    of: str = "routing"
    moved: bool = False
    """Whether something else serves by the time of the withdrawal."""
    posts: list[Post] = field(default_factory=list)

    async def due(self, task: str, base: str, now: datetime) -> Sequence[Withdrawn]:
        assert (base, now) == ("starter", NOW)
        return self.gone if task == self.of else ()

    async def withdraw(
        self, task: str, base: str, gone: Sequence[Withdrawn], posts: Sequence[Post], now: datetime
    ) -> bool:
        assert (task, base, now, gone) == (self.of, "starter", NOW, self.gone)
        self.gone = ()
        if self.moved:
            return False
        self.posts += posts
        return True

    async def voided(self) -> Collection[str]:
        return ["routing-2"]


async def test_an_adapter_that_stops_serving_is_told_to_leads_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    due, files = Due((Withdrawn("routing-3", "routing-1"),)), Everything()
    unlearner = Unlearner((TASK,), "starter", due, files, lambda: NOW)
    with caplog.at_level(logging.WARNING):
        assert [await unlearner.step() for _ in range(2)] == [0, 0]
    told = LearningReport("routing", "routing-1", False, (), unlearned="routing-3")
    assert due.posts == [Post(room, told) for room in TASK.leads_rooms]
    assert len(due.posts) == 1
    assert files.did == ["texts of routing-2 removed"] * 2, "what another machine or a full disk had kept"
    [said] = caplog.records
    assert said.__dict__["adapter"] == "routing-3" and said.__dict__["serves"] == "routing-1"


async def test_of_a_question_s_adapter_leads_are_told_where_teams_are() -> None:
    mood = replace(TASK, name="mood", labels=tuple(replace(one, deliver_to={}) for one in TASK.labels))
    due = Due((Withdrawn("mood-3", None),), of="mood")
    await Unlearner((TASK, mood), "starter", due, Everything(), lambda: NOW).step()
    assert due.posts == [
        Post(room, LearningReport("mood", "", False, (), unlearned="mood-3")) for room in TASK.leads_rooms
    ]


async def test_nothing_is_told_where_something_else_serves_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    due = Due((Withdrawn("routing-3", None),), moved=True)
    with caplog.at_level(logging.WARNING):
        await Unlearner((TASK,), "starter", due, Everything(), lambda: NOW).step()
    assert (due.posts, caplog.records) == ([], [])


def test_leads_read_in_their_language_what_serves_and_why() -> None:
    instead = LearningReport("routing", "routing-1", False, (), unlearned="routing-3")
    assert report(instead, "en") == [
        "routing-3 no longer serves: it had learned from texts of somebody who was forgotten. "
        "From now on routing-1 serves."
    ]
    alone = replace(instead, adapter="")
    assert report(alone, "en") == [
        "routing-3 no longer serves: it had learned from texts of somebody who was forgotten. "
        "Until a training makes another, decisions are made without a trained model."
    ]
    for told in (instead, alone):
        said = {language: " ".join(report(told, language)) for language in ("en", "pt-BR", "es")}
        assert len(set(said.values())) == 3
        assert all("routing-3" in words and told.adapter in words for words in said.values())


_: type[Unlearning] = Due
