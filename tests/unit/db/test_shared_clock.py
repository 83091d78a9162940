"""All processes use the database's clock, whatever their own shows."""

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
    monkeypatch.setattr(time, "clock_gettime", lambda _: steady[0])
    clock.heard(NOON)
    monkeypatch.setattr(time, "time", lambda: NOON.timestamp() + step)
    steady[0] += 7
    assert clock.now() == NOON + timedelta(seconds=7)


def test_the_databases_own_step_is_followed() -> None:
    clock = SharedClock()
    clock.heard(NOON)
    clock.heard(NOON + timedelta(hours=1))
    assert clock.now() >= NOON + timedelta(hours=1)


def test_what_the_machine_slept_through_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    awake, up = [100.0], [100.0]
    clocks = {time.CLOCK_MONOTONIC: awake, time.CLOCK_BOOTTIME: up}
    monkeypatch.setattr(time, "clock_gettime", lambda which: clocks[which][0])
    monkeypatch.setattr(time, "monotonic", lambda: awake[0])
    clock = SharedClock()
    clock.heard(NOON)
    awake[0] += 1  # of an hour the machine was awake for a second
    up[0] += 3_600
    assert clock.now() == NOON + timedelta(hours=1)
