"""What the date of an answer says about our own clock."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.platforms import Finding
from bot.platforms.clock import clock

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DATE = "Mon, 23 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_clock_that_is_about_right_is_right(seconds: int) -> None:
    assert clock("Slack", DATE, NOW + timedelta(seconds=seconds)) == Finding(
        "this machine's clock agrees with Slack's", True
    )


@pytest.mark.parametrize(("seconds", "said"), [(-600, "600 s behind Slack's"), (31, "31 s ahead of Slack's")])
def test_a_clock_that_is_wrong_is_told_by_how_much_and_what_to_do(seconds: int, said: str) -> None:
    found = clock("Slack", DATE, NOW + timedelta(seconds=seconds))
    assert found is not None and not found.ok
    assert found.remedy == f"it is {said}; have this machine's clock set by NTP (timedatectl)"


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 23 Nov 2026 12:00:00 -0000"])
def test_an_answer_without_a_date_says_nothing(date: str | None) -> None:
    assert clock("Slack", date, NOW) is None
