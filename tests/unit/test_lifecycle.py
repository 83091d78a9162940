"""Work is woken, continues after failures, and finishes what it began before it stops."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from bot.domain.errors import DatabaseUnreachable, Unreachable
from bot.lifecycle import DatabaseReturn, Wakeup, Wakeups, compute_alone, forever, keep_running, until_signal


async def test_a_ring_wakes_a_waiting_step_long_before_its_time() -> None:
    wakeup, calls = Wakeup(), asyncio.Queue[int]()

    async def step() -> int:
        calls.put_nowait(1)
        return 0

    task = asyncio.create_task(forever(step, wakeup, at_most=3600))
    await calls.get()
    wakeup.wake()
    await asyncio.wait_for(calls.get(), 5)
    task.cancel()


async def test_a_ring_while_working_is_not_lost() -> None:
    wakeup = Wakeup()
    wakeup.wake()
    await asyncio.wait_for(wakeup.wait(3600), 5)


@pytest.mark.parametrize("turns", range(5))
async def test_a_ring_at_the_moment_of_cancelling_keeps_nobody_running(turns: int) -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait(3600))
    await asyncio.sleep(0)  # it begins to wait
    wakeup.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    if waiting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_step_that_found_work_looks_again_without_sleeping() -> None:
    left, empty = [3, 2, 1], asyncio.Event()

    async def step() -> int:
        if not left:
            empty.set()
            return 0
        return left.pop()

    task = asyncio.create_task(forever(step, Wakeup(), at_most=3600))
    await asyncio.wait_for(empty.wait(), 5)
    task.cancel()


async def test_cancelling_lets_the_step_finish_what_it_began() -> None:
    began, said, stored = asyncio.Event(), asyncio.Event(), []

    async def step() -> int:
        began.set()
        await said.wait()
        stored.append("receipt")
        return 1

    task = asyncio.create_task(forever(step, Wakeup()))
    await began.wait()
    task.cancel()
    await asyncio.sleep(0)
    said.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stored[:1] == ["receipt"]


async def test_cancelling_does_not_wait_beyond_the_grace() -> None:
    began = asyncio.Event()

    async def step() -> int:
        began.set()
        await asyncio.sleep(3600)
        return 1

    task = asyncio.create_task(forever(step, Wakeup(), grace=0.01))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_what_fails_is_run_again() -> None:
    tries, enough = [], asyncio.Event()

    async def run() -> None:
        tries.append(1)
        if len(tries) == 2:
            enough.set()
        raise RuntimeError

    task = asyncio.create_task(keep_running("test", run, DatabaseReturn()))
    await asyncio.wait_for(enough.wait(), 10)
    task.cancel()


async def test_steps_that_wait_for_the_database_go_on_as_soon_as_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.lifecycle._FIRST_WAIT", 3600.0)  # as after a long outage
    database, down, tries = DatabaseReturn(), True, asyncio.Semaphore(0)
    going_on = [asyncio.Event(), asyncio.Event()]

    def step(number: int) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            tries.release()
            if down:
                raise DatabaseUnreachable("database shop: nobody listens there")
            going_on[number].set()
            await asyncio.sleep(3600)

        return run

    tasks = [asyncio.create_task(keep_running("step", step(number), database)) for number in range(2)]
    for _ in tasks:
        await asyncio.wait_for(tries.acquire(), 5)
    await asyncio.sleep(0.05)
    assert tries.locked()  # a database that is down is not asked again meanwhile
    down = False
    database.wake()
    await asyncio.wait_for(asyncio.gather(*(one.wait() for one in going_on)), 5)
    for task in tasks:
        task.cancel()


async def test_what_fails_for_another_reason_is_not_run_again_when_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.lifecycle._FIRST_WAIT", 3600.0)
    database, tries = DatabaseReturn(), asyncio.Semaphore(0)

    async def run() -> None:
        tries.release()
        raise Unreachable("slack: timed out")

    task = asyncio.create_task(keep_running("hearing slack", run, database))
    await asyncio.wait_for(tries.acquire(), 5)
    await asyncio.sleep(0.05)
    database.wake()
    await asyncio.sleep(0.05)
    assert tries.locked()
    task.cancel()


async def test_an_outage_that_stops_every_step_is_one_line_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = asyncio.Semaphore(0)

    async def alone() -> None:
        failures.release()
        raise Unreachable("database shop at db:5432 as bot: nobody listens there")

    async def grouped() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(alone())

    tasks = [
        asyncio.create_task(keep_running(f"step {n}", run, DatabaseReturn()))
        for n in range(5)
        for run in (alone, grouped)
    ]
    for _ in range(25):
        await asyncio.wait_for(failures.acquire(), 10)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    [said] = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert said.__dict__["problem"] == "database shop at db:5432 as bot: nobody listens there"
    assert said.exc_info is None


async def test_every_bell_rings_for_a_change() -> None:
    wakeups = Wakeups()
    first, second = wakeups["sorting"], wakeups["delivering"]
    wakeups.wake(["delivering", "sorting"])
    await asyncio.wait_for(asyncio.gather(first.wait(3600), second.wait(3600)), 5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_cancels_the_work_and_waits_for_it_to_tidy_up(number: signal.Signals) -> None:
    tidied = []

    async def work() -> None:
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), number)
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            tidied.append(True)

    await asyncio.wait_for(until_signal(work()), 5)
    assert tidied == [True]


async def test_work_that_fails_by_itself_is_heard_of() -> None:
    async def work() -> None:
        raise ValueError("port")

    with pytest.raises(ValueError, match="port"):
        await until_signal(work())


async def test_products_are_computed_by_the_thread_that_asks_for_them() -> None:
    def threads() -> list[int]:
        np.ones((2, 2)) @ np.ones((2, 2))
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    with threadpool_limits(limits=2, user_api="blas"):  # and back to what it was at the end
        compute_alone()
        assert set(await asyncio.to_thread(threads)) == {1}
