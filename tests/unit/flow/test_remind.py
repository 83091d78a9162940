"""A request that nobody took: who is reminded, and when nobody is."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.conversations import OverdueConversation
from bot.domain.hours import hours
from bot.domain.posts import Notice
from bot.domain.tasks import Task
from bot.flow.remind import Reminder
from tests.fakes_ledger import FakeLedger
from tests.samples import NOW, TASK, conversation, standing

HALF_AN_HOUR = timedelta(minutes=30)
OFFICE = replace(TASK, labels=(replace(TASK.labels[0], hours=hours("Mon-Fri 09:00-17:30", "UTC")), *TASK.labels[1:]))


async def reminders(
    at: datetime, before: int = 0, task: Task = OFFICE, take: timedelta | None = HALF_AN_HOUR
) -> list[int]:
    """Minutes of every reminder that is sent then."""
    ledger = FakeLedger(waiting=[OverdueConversation(conversation(), standing(), NOW - timedelta(days=1), before)])
    await Reminder(task, ledger, take, lambda: at).step()
    said = [content for done in ledger.concluded for content in done.contents()]
    return [content.minutes for content in said if isinstance(content, Notice)]


async def test_a_team_is_reminded_and_then_the_fallback_team() -> None:
    assert await reminders(NOW, 0) == [30]
    assert await reminders(NOW, 1) == [60]


@pytest.mark.parametrize(
    ("hour", "minute", "first", "second"),
    [(3, 0, False, False), (9, 10, False, False), (9, 40, True, False), (10, 5, True, True), (17, 40, False, False)],
)
async def test_the_clock_does_not_ring_before_the_team_had_its_time(
    hour: int, minute: int, first: bool, second: bool
) -> None:
    at = NOW.replace(hour=hour, minute=minute)
    assert bool(await reminders(at, 0)) == first
    assert bool(await reminders(at, 1)) == second


async def test_a_team_without_hours_is_always_there() -> None:
    assert await reminders(NOW.replace(hour=3), task=TASK) == [30]


@pytest.mark.parametrize("take", [None, timedelta(0)])
async def test_it_can_be_turned_off(take: timedelta | None) -> None:
    assert await reminders(NOW, take=take) == []


async def test_what_is_not_said_is_concluded_so_that_others_may_work_on_it() -> None:
    ledger = FakeLedger(waiting=[OverdueConversation(conversation(), standing(), NOW, 0)])
    await Reminder(OFFICE, ledger, HALF_AN_HOUR, lambda: NOW.replace(hour=3)).step()
    [concluded] = ledger.concluded
    assert concluded.posts == ()
