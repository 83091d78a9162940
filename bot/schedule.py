"""Runs jobs at cron times, in a time zone; the only file that uses cronsim and APScheduler.

cronsim computes the times (weekdays from Sunday, names, none lost or doubled when clocks change); APScheduler wakes us.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, takewhile
from typing import Protocol
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from cronsim import CronSim, CronSimError

from bot.domain.errors import SwitchboardError

log = logging.getLogger(__name__)

Job = Callable[[str], Awaitable[object]]
"""Called with the tick, `2026-11-23T03:00Z`: the same in every process, so that its work can be made unique."""

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LOOK_EVERY = 30.0
"""Seconds between looks at the wall clock: the clock of timers stands still while a machine sleeps."""
CLOCKS_DIFFER = timedelta(days=1)
"""A time further ahead than this was recorded by a wrong clock."""
_AGAIN = timedelta(minutes=1)
"""After how long a failed job is tried again."""
_WINDOWS = (timedelta(hours=1), timedelta(days=1), timedelta(days=40), timedelta.max)
"""How far back to look for the latest run, one after another; one of every minute is found in the first."""


class Ticks(Protocol):
    """Remembers over restarts up to which run each job was done."""

    async def last_tick(self, task: str) -> datetime | None:
        """The latest run that was done; None: none yet."""

    async def record_tick(self, task: str, at: datetime) -> None:
        """Record a run. An older one than the recorded changes nothing, unless that is over a day ahead of it."""


@dataclass(frozen=True, slots=True)
class CronJob:
    """A job that runs at certain times."""

    name: str
    """The name that its ticks are remembered under."""
    expression: str
    """Five fields, or a macro like `@daily`."""
    zone: str
    run: Job


def cron_problem(expression: str) -> str | None:
    """What is wrong with a cron expression; None if it is valid."""
    try:
        next(CronSim(_fields(expression), datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        return str(error) or "it never comes"
    return None


def next_runs(expression: str, zone: str, after: datetime, count: int) -> list[datetime]:
    """The next `count` runs after that moment, each in its zone."""
    place = _place(zone)
    return list(islice(CronSim(_fields(expression), after.astimezone(place)), count))


def latest_run(expression: str, zone: str, after: datetime, until: datetime) -> datetime | None:
    """The last run after `after` and no later than `until`; None if there is none."""
    for window in _WINDOWS:
        begin = after if until - after <= window else until - window
        coming = CronSim(_fields(expression), begin.astimezone(_place(zone)))
        runs = list(takewhile(lambda run: run <= until, (run.astimezone(UTC) for run in coming)))
        if runs or begin == after:
            return runs[-1] if runs else None
    return None


async def keep_schedule(jobs: Sequence[CronJob], ticks: Ticks, now: Callable[[], datetime]) -> None:
    """Run each job at its times until cancelled.

    Of runs that were missed, because the machine slept or no process ran, the latest is made up for, once. The very
    first start makes up for none.
    """
    scheduler = AsyncIOScheduler(timezone=UTC)
    kept = [_KeptJob(job, ticks, now, scheduler) for job in jobs]
    scheduler.start()
    try:
        for job in kept:
            await job.look()
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            scheduler.wakeup()
    finally:
        scheduler.shutdown(wait=False)


@dataclass(frozen=True, slots=True)
class _KeptJob:
    """A job that APScheduler wakes at its next run."""

    job: CronJob
    ticks: Ticks
    now: Callable[[], datetime]
    scheduler: AsyncIOScheduler

    async def look(self) -> None:
        """Do what is due, and schedule the next look: at the next run, or soon if this one failed."""
        again = self.now() + _AGAIN
        try:
            await run_if_due(self.job, self.ticks, self.now())
            [again] = next_runs(self.job.expression, self.job.zone, self.now(), 1)
        except SwitchboardError as error:
            log.error("scheduled work postponed", extra={"task": self.job.name, "problem": str(error)})
        finally:
            # Run it however late it is, and let the next begin while this one, which schedules it, still ends
            how = {"replace_existing": True, "misfire_grace_time": None, "max_instances": 3}
            self.scheduler.add_job(self.look, DateTrigger(again), id=self.job.name, **how)


async def run_if_due(job: CronJob, ticks: Ticks, now: datetime) -> bool:
    """Run the job for its latest time, unless that was done already; return whether it ran."""
    last = await ticks.last_tick(job.name)
    if last is None or last - now > CLOCKS_DIFFER:  # the very first time, or after a wrong clock was put right
        await ticks.record_tick(job.name, now)
        return False
    due = latest_run(job.expression, job.zone, last, now)
    if due is None:
        return False
    await job.run(due.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ"))
    await ticks.record_tick(job.name, due)
    return True


def _fields(expression: str) -> str:
    """The five fields of an expression or a macro. Raises CronSimError for six: cron has no seconds."""
    fields = _MACROS.get(expression.strip().lower(), expression)
    if len(fields.split()) != 5:
        raise CronSimError("Wrong number of fields")
    return fields


def _place(zone: str) -> tzinfo:
    return UTC if zone == "UTC" else ZoneInfo(zone)
