"""Cron expressions with cron's meaning, and jobs that run on them, missed runs included."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot import schedule
from bot.domain.errors import Unreachable
from bot.schedule import CronJob, latest_run, next_runs, run_if_due
from tests.waiting import until

SATURDAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("expression", ["0 3 * * *", "*/15 * * * mon-fri", "@daily", "@Weekly", "0 3 29 2 *"])
def test_a_good_expression_has_no_problem(expression: str) -> None:
    assert schedule.cron_problem(expression) is None


@pytest.mark.parametrize(
    "expression",
    ["", "whenever", "61 3 * * *", "0 3 * *", "0 0 3 * * *", "0 3 30 2 *", "0 3 * * 8", "0 24 * * *", "@reboot"],
)
def test_a_bad_expression_has_one(expression: str) -> None:
    assert schedule.cron_problem(expression)


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("0 3 * * 0", ["11-22 03:00", "11-29 03:00"]),  # Sunday is 0 …
        ("0 3 * * 7", ["11-22 03:00", "11-29 03:00"]),  # … and 7
        ("0 3 * * sun", ["11-22 03:00", "11-29 03:00"]),
        ("0 3 * * 1", ["11-23 03:00", "11-30 03:00"]),
        ("0 3 * * 1-5", ["11-23 03:00", "11-24 03:00"]),
        ("0 3 * * 5-7", ["11-22 03:00", "11-27 03:00"]),
        ("0 3 * * 6,0", ["11-22 03:00", "11-28 03:00"]),
        ("0 3 * * */2", ["11-22 03:00", "11-24 03:00"]),
        ("15,45 22 * * *", ["11-21 22:15", "11-21 22:45"]),
        ("10-50/20 13 * * *", ["11-21 13:10", "11-21 13:30"]),
        ("0 3 * dec mon", ["12-07 03:00", "12-14 03:00"]),
        ("0 3 1 * *", ["12-01 03:00", "01-01 03:00"]),
        ("0 3 24 * 1", ["11-23 03:00", "11-24 03:00"]),  # the day of the month or of the week
        ("0 3 */2 * 1", ["11-23 03:00", "12-07 03:00"]),  # with a star both must match
        ("@daily", ["11-22 00:00", "11-23 00:00"]),
        ("@weekly", ["11-22 00:00", "11-29 00:00"]),
        ("@monthly", ["12-01 00:00", "01-01 00:00"]),
        ("@hourly", ["11-21 13:00", "11-21 14:00"]),
    ],
)
def test_every_field_means_what_it_means_in_cron(expression: str, runs: list[str]) -> None:
    assert [f"{run:%m-%d %H:%M}" for run in next_runs(expression, "UTC", SATURDAY, 2)] == runs


def _in_lisbon(expression: str, after: datetime, count: int = 3) -> list[str]:
    return [f"{r.astimezone(UTC):%m-%d %H:%M}" for r in next_runs(expression, "Europe/Lisbon", after, count)]


def test_runs_are_in_the_zone_and_none_is_lost_or_doubled_when_clocks_change() -> None:
    spring, autumn = datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    # At 01:00 clocks go to 02:00: the missing half past one is run at once
    assert _in_lisbon("30 1 * * *", spring) == ["03-28 01:00", "03-29 00:30", "03-30 00:30"]
    # At 02:00 clocks go back to 01:00: half past one occurs twice, and counts once
    assert _in_lisbon("30 1 * * *", autumn) == ["10-25 00:30", "10-26 01:30", "10-27 01:30"]


def test_the_latest_run_is_found_however_long_ago_it_was() -> None:
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    assert latest_run("* * * * *", "UTC", begin, SATURDAY) == SATURDAY
    assert latest_run("0 3 * * *", "UTC", begin, SATURDAY) == datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert latest_run("0 3 29 2 *", "UTC", begin, SATURDAY) == datetime(2024, 2, 29, 3, tzinfo=UTC)
    assert latest_run("0 3 * * *", "UTC", datetime(2026, 11, 21, 3, tzinfo=UTC), SATURDAY) is None


class FakeTicks:
    """Ticks, stored for one task; `tests/integration/db/test_fakes_are_claimed_from.py` checks its promises."""

    def __init__(self, last: datetime | None = None) -> None:
        self.last = last
        self.asked = 0

    async def last_tick(self, task: str) -> datetime | None:
        self.asked += 1
        return self.last

    async def record_tick(self, task: str, at: datetime) -> None:
        wrong = self.last is not None and self.last > at + timedelta(days=1)  # recorded by a clock that was ahead
        self.last = at if wrong else max(at, self.last or at)


def _job(ticks: list[str], expression: str = "0 3 * * *", problem: Unreachable | None = None) -> CronJob:
    async def run(tick: str) -> None:
        ticks.append(tick)
        if problem:
            raise problem

    return CronJob("routing", expression, "UTC", run)


async def test_the_first_start_ever_makes_up_for_nothing() -> None:
    ticks: list[str] = []
    memory = FakeTicks()
    assert not await run_if_due(_job(ticks), memory, SATURDAY)
    assert (ticks, memory.last) == ([], SATURDAY)


async def test_a_clock_that_was_years_ahead_stops_nothing_for_ever() -> None:
    memory, ticks = FakeTicks(SATURDAY + timedelta(days=9_000)), list[str]()
    assert not await run_if_due(_job(ticks), memory, SATURDAY)
    memory.last = SATURDAY  # as the registry corrects it
    assert await run_if_due(_job(ticks), memory, SATURDAY + timedelta(days=1))
    assert ticks == ["2026-11-22T03:00Z"]


async def test_what_was_missed_is_made_up_for_once_and_the_latest_alone() -> None:
    ticks: list[str] = []
    memory = FakeTicks(datetime(2026, 11, 17, 3, tzinfo=UTC))
    assert await run_if_due(_job(ticks), memory, SATURDAY)
    assert not await run_if_due(_job(ticks), memory, SATURDAY)
    assert ticks == ["2026-11-21T03:00Z"]


async def test_what_could_not_be_done_stays_due() -> None:
    memory = FakeTicks(datetime(2026, 11, 20, 3, tzinfo=UTC))
    ticks: list[str] = []
    with pytest.raises(Unreachable):
        await run_if_due(_job(ticks, problem=Unreachable("database down")), memory, SATURDAY)
    assert await run_if_due(_job(ticks), memory, SATURDAY)
    assert ticks == ["2026-11-21T03:00Z"] * 2


async def test_the_schedule_keeps_going_until_cancelled() -> None:
    memory = FakeTicks()
    task = asyncio.create_task(schedule.keep_schedule([_job([])], memory, lambda: SATURDAY))
    await until(lambda: memory.asked > 1)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_job_is_run_at_its_time_and_at_every_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_AGAIN", timedelta(0))
    clock = [datetime(2026, 11, 21, 2, 59, tzinfo=UTC)]
    ticks: list[str] = []
    memory = FakeTicks(datetime(2026, 11, 20, 3, tzinfo=UTC))
    keeping = asyncio.create_task(schedule.keep_schedule([_job(ticks)], memory, lambda: clock[0]))
    await until(lambda: memory.asked > 2)
    assert ticks == [], "looked at again and again, and not due"
    # APScheduler's own clock is far beyond these days: it wakes us at once each time, and our clock decides what is due
    clock[0] = datetime(2026, 11, 21, 3, 0, 5, tzinfo=UTC)
    await until(lambda: bool(ticks))
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert ticks == ["2026-11-21T03:00Z"]
