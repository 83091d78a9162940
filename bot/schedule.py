"""Things done on a cron; the only file that knows APScheduler."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

Job = Callable[[str], Awaitable[object]]
"""Called with the tick, `2026-11-23T03:00Z`: equal in every process, so that its work can be made unique."""

_LATE = 3600
"""Seconds after its time that a tick still fires: a machine that slept through the night learns in the morning."""


def cron_problem(expression: str) -> str | None:
    """What is wrong with a cron expression; None when nothing is."""
    try:
        _trigger(expression)
    except ValueError as error:
        return str(error)
    return None


async def keep_schedule(jobs: Sequence[tuple[str, Job]]) -> None:
    """Run each job on its cron (five fields, UTC) until cancelled."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    for expression, job in jobs:
        scheduler.add_job(_tick, _trigger(expression), [job], misfire_grace_time=_LATE, coalesce=True)
    scheduler.start()
    try:
        await asyncio.Event().wait()
    finally:
        scheduler.shutdown(wait=False)


async def _tick(job: Job) -> None:
    await job(datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"))


def _trigger(expression: str) -> CronTrigger:
    trigger: CronTrigger = CronTrigger.from_crontab(expression, timezone=UTC)
    return trigger
