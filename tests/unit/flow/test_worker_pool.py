"""Items run in parallel: each ends alone, fails alone, and frees its slot at once."""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest

from bot.domain.errors import Unreachable
from bot.domain.failures import MOST_ATTEMPTS, ItemKey
from bot.flow.step import Step
from bot.flow.worker_pool import WorkerPool
from bot.lifecycle import Wakeup
from tests.fakes_failed_items import FakeFailedItems
from tests.samples import NOW
from tests.waiting import until

_PATIENCE = 10.0


class Numbers(Step[int]):
    """Hands out numbers. Those in `errors` fail, those in `gates` wait until they may continue."""

    name: ClassVar[str] = "numbers"

    def __init__(self, waiting: Sequence[int]) -> None:
        self.waiting = list(waiting)
        self.errors: dict[int, Exception] = {}
        self.gates: dict[int, asyncio.Event] = {}
        self.handled: list[int] = []
        self.at_once = self.most_at_once = self.claims = 0
        self.moment = asyncio.Condition()

    async def claim(self, limit: int, at_work: Sequence[int] = ()) -> list[int]:
        self.claims += 1
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def key(self, item: int) -> ItemKey:
        return ItemKey(self.name, str(item), item)

    async def handle(self, item: int) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if item in self.gates:
                await self.gates[item].wait()
            if item in self.errors:
                raise self.errors[item]
        finally:
            self.at_once -= 1
        self.handled.append(item)


class Working:
    """A pool that works while the context lasts."""

    at_most = 0.01
    """Seconds between looks, if nothing wakes it."""

    def __init__(self, step: Numbers, slots: int = 2, deadline: float = 60.0, slow: float = 60.0) -> None:
        self.step, self.failures, self.wakeup = step, FakeFailedItems(), Wakeup()
        self.pool = WorkerPool(step, self.failures, lambda: NOW, self.wakeup, slots, deadline, slow)

    async def __aenter__(self) -> "Working":
        self._task = asyncio.create_task(self.pool.run(self.at_most, grace=0.01))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    async def until(self, true: Callable[[], bool]) -> None:
        await until(true)


async def test_no_more_run_at_once_than_there_are_slots() -> None:
    step = Numbers(range(20))
    async with Working(step, slots=3) as work:
        await work.until(lambda: len(step.handled) == 20)
    assert step.most_at_once == 3


async def test_a_slot_is_free_the_moment_its_item_ends() -> None:
    step = Numbers([1, 2, 3, 4])
    step.gates = {1: asyncio.Event()}
    async with Working(step) as work:
        await work.until(lambda: step.handled == [2, 3, 4])
        assert step.at_once == 1


async def test_where_there_was_less_than_slots_it_looks_again_when_woken_and_when_an_item_ends() -> None:
    step = Numbers([1])
    step.gates = {1: asyncio.Event()}
    work = Working(step, slots=3)
    work.at_most = 60.0
    async with work:
        await work.until(lambda: step.at_once == 1)
        for _ in range(10):
            await asyncio.sleep(0)
        assert step.claims == 1, "nothing was left to look for"
        step.waiting = [2]
        work.wakeup.wake()
        await work.until(lambda: step.handled == [2])
        step.waiting = [3]
        step.gates[1].set()
        await work.until(lambda: step.handled == [2, 1, 3])


class Loners(Numbers):
    """Numbers of which none waits for another."""

    ends_alone: ClassVar[bool] = True


async def test_the_end_of_an_item_that_nothing_waits_for_is_no_reason_to_look() -> None:
    step = Loners([1])
    work = Working(step, slots=3)
    work.at_most = 60.0
    async with work:
        await work.until(lambda: step.handled == [1])
        for _ in range(10):
            await asyncio.sleep(0)
        assert step.claims == 1
        step.waiting = [2]
        work.wakeup.wake()
        await work.until(lambda: step.handled == [1, 2])


async def test_what_was_held_when_somebody_looked_is_looked_for_when_its_holder_ends() -> None:
    step = Loners([1])
    step.gates = {1: asyncio.Event()}
    work = Working(step, slots=3)
    work.at_most = 60.0
    async with work:
        await work.until(lambda: step.at_once == 1)
        work.wakeup.wake()
        await work.until(lambda: step.claims == 2)
        step.waiting = [1]  # the same again: it was announced anew while the running item holds it
        step.gates[1].set()
        await work.until(lambda: step.handled == [1, 1])


async def test_where_there_was_as_much_as_slots_it_goes_on_by_itself() -> None:
    step = Numbers(range(12))
    work = Working(step, slots=3)
    work.at_most = 60.0
    async with work:
        await work.until(lambda: len(step.handled) == 12)


async def test_items_that_hang_give_their_slots_to_others_and_end_at_their_deadline() -> None:
    step = Numbers(range(10))
    step.gates = {item: asyncio.Event() for item in range(8)}
    async with Working(step, slots=2, deadline=0.3, slow=0.01) as work:
        await work.until(lambda: step.handled == [8, 9])
        await work.until(lambda: len(work.failures.recorded) == 8)
    assert all(failure.later and failure.reason == "TimeoutError" for failure in work.failures.recorded)
    assert work.failures.aside == {}, "somebody who does not answer is no fault of the item"


async def test_an_error_is_stored_with_its_kind_and_never_with_its_words() -> None:
    step = Numbers([1, 2])
    step.errors = {1: ValueError("Cleo wrote: my card is 4111")}
    async with Working(step) as work:
        await work.until(lambda: step.handled == [2] and len(work.failures.recorded) == 1)
    [failure] = work.failures.recorded
    assert (failure.key, failure.reason, failure.later) == (ItemKey("numbers", "1", 1), "ValueError", False)


async def test_what_fails_for_ever_is_set_aside_and_alarms_once(caplog: pytest.LogCaptureFixture) -> None:
    step = Numbers([1] * MOST_ATTEMPTS)
    step.errors = {1: KeyError("gone")}
    async with Working(step, slots=1) as work:
        await work.until(lambda: len(work.failures.recorded) == MOST_ATTEMPTS)
    alarms = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.message for record in alarms] == ["item set aside after too many failures"]
    assert (alarms[0].__dict__["step"], alarms[0].__dict__["item"]) == ("numbers", "1")
    assert "test_worker_pool.py" in alarms[0].__dict__["at"]


async def test_who_does_not_answer_is_waited_for_however_often(caplog: pytest.LogCaptureFixture) -> None:
    step = Numbers([1] * 20)
    step.errors = {1: Unreachable("telegram: timed out")}
    async with Working(step, slots=1) as work:
        await work.until(lambda: len(work.failures.recorded) == 20)
    assert work.failures.aside == {}
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_success_after_a_failure_is_a_fresh_start() -> None:
    step = Numbers([1])
    step.errors = {1: KeyError("gone")}
    async with Working(step) as work:
        await work.until(lambda: work.failures.attempts == {ItemKey("numbers", "1", 1): 1})
        step.errors, step.waiting = {}, [1]
        await work.until(lambda: work.failures.attempts == {})


async def test_a_database_that_is_down_costs_no_item_and_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> bool:
        raise Unreachable("database: every connection is busy")

    step = Numbers([1, 2])
    step.errors = {1: KeyError("gone")}
    async with Working(step, slots=1) as work:
        monkeypatch.setattr(work.failures, "failed", down)
        await work.until(lambda: step.handled == [2])


async def test_stopping_lets_what_was_begun_finish() -> None:
    step = Numbers([1])
    step.gates = {1: asyncio.Event()}
    work = Working(step)
    running = asyncio.create_task(work.pool.run(grace=_PATIENCE))
    await work.until(lambda: step.at_once == 1)
    running.cancel()
    await asyncio.sleep(0)
    step.gates[1].set()
    await asyncio.wait({running})
    assert step.handled == [1]


async def test_stopping_does_not_wait_beyond_the_grace() -> None:
    step = Numbers([1])
    step.gates = {1: asyncio.Event()}
    async with Working(step) as work:
        await work.until(lambda: step.at_once == 1)
    assert (step.handled, step.at_once) == ([], 0)
