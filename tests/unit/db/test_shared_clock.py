"""All processes go by the database's clock, whatever becomes of their own."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from db.shared_clock import SharedClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_until_the_database_was_heard_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", NOON.timestamp)
    assert SharedClock().now() == NOON


@pytest.mark.parametrize("step", [-3600.0, 0.0, 3600.0])
def test_a_step_of_the_machines_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    steady, clock = [100.0], SharedClock()
    monkeypatch.setattr(time, "monotonic", lambda: steady[0])
    clock.heard(NOON)
    monkeypatch.setattr(time, "time", lambda: NOON.timestamp() + step)
    steady[0] += 7
    assert clock.now() == NOON + timedelta(seconds=7)


def test_the_databases_own_step_is_followed() -> None:
    clock = SharedClock()
    clock.heard(NOON)
    clock.heard(NOON + timedelta(hours=1))
    assert clock.now() >= NOON + timedelta(hours=1)
