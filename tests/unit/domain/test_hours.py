"""Hours: until midnight, and which hours include which."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.hours import hours

ZONE = "Europe/Lisbon"


def test_a_night_has_no_gap_at_midnight() -> None:
    night = hours("Mon 18:00-24:00, Tue 00:00-08:00", ZONE)
    last, first = datetime(2026, 11, 23, 23, 59, 59, 999_000), datetime(2026, 11, 24)
    assert night.open_at(last.replace(tzinfo=ZoneInfo(ZONE)))
    assert night.open_at(first.replace(tzinfo=ZoneInfo(ZONE)))
    assert not night.open_at(first.replace(hour=8, tzinfo=ZoneInfo(ZONE)))


def test_hours_that_close_before_they_open_are_told_how_a_night_is_written() -> None:
    with pytest.raises(ValueError, match=r"'Mon 18:00-08:00' closes before it opens; .* the first until 24:00"):
        hours("Mon 18:00-08:00", ZONE)
    with pytest.raises(ValueError, match="are no hours"):
        hours("Mon 24:00-24:00", ZONE)


@pytest.mark.parametrize(
    ("some", "others", "within"),
    [
        ("Tue 10:00-12:00", "Mon-Fri 09:00-17:00", True),
        ("Tue 10:00-12:00", "Tue 11:00-17:00, Tue 09:00-11:00", True),
        ("Tue 10:00-12:00", "Tue 11:01-17:00, Tue 09:00-11:00", False),
        ("Tue-Wed 10:00-12:00", "Tue 09:00-17:00", False),
        ("Tue 10:00-24:00", "Tue 09:00-23:59", False),
    ],
)
def test_whether_hours_are_all_among_others(some: str, others: str, within: bool) -> None:
    assert hours(some, ZONE).within(hours(others, ZONE)) is within


def test_all_week_is_told_from_all_days() -> None:
    assert hours("Mon-Sun 00:00-24:00", ZONE).always
    assert not hours("Mon-Sun 00:00-23:59", ZONE).always
    assert not hours("Mon-Sat 00:00-24:00", ZONE).always
