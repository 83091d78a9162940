"""A process that is known to be alive provides the time for all that share the database."""

import time
from datetime import UTC, datetime, timedelta

import pytest

import db.engine
from bot.store import now
from db.engine import Database
from db.processes import PostgresProcesses
from db.shared_clock import SharedClock
from tests.waiting import until


async def test_a_living_process_hears_the_databases_clock(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SharedClock()
    monkeypatch.setattr(db.engine, "SHARED", clock)
    right = time.time()
    monkeypatch.setattr(time, "time", lambda: right + 36_000)  # our clock is ten hours ahead
    assert clock.now() - datetime.fromtimestamp(right, UTC) == timedelta(hours=10)
    async with PostgresProcesses(database, now).living():
        await until(lambda: clock.now() - datetime.fromtimestamp(right, UTC) < timedelta(hours=1), seconds=60)
