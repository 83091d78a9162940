"""Cron expressions, and jobs that run on them."""

import asyncio

import pytest

from bot import schedule


@pytest.mark.parametrize("expression", ["0 3 * * *", "*/15 * * * mon-fri"])
def test_a_good_expression_has_no_problem(expression: str) -> None:
    assert schedule.cron_problem(expression) is None


@pytest.mark.parametrize("expression", ["", "whenever", "61 3 * * *", "0 3 * *"])
def test_a_bad_expression_has_one(expression: str) -> None:
    assert schedule.cron_problem(expression)


async def test_a_tick_is_named_by_its_minute_so_that_processes_agree() -> None:
    ticks: list[str] = []

    async def job(tick: str) -> None:
        ticks.append(tick)

    await schedule._tick(job)
    assert len(ticks[0]) == len("2026-11-23T03:00Z")


async def test_the_schedule_keeps_going_until_cancelled() -> None:
    async def job(_tick: str) -> None: ...

    task = asyncio.create_task(schedule.keep_schedule([("0 3 * * *", job)]))
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
