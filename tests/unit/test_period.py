"""A time in the past, as it is written after --since."""

from datetime import UTC, datetime

import pytest

from bot.commands.period import period
from bot.domain.errors import UsageError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "zone", "since", "until"),
    [
        ("30d", "UTC", datetime(2026, 10, 21, 12, 0, tzinfo=UTC), NOW),
        ("2w", "America/Sao_Paulo", datetime(2026, 11, 6, 12, 0, tzinfo=UTC), NOW),
        ("2026-11-01", "UTC", datetime(2026, 11, 1, tzinfo=UTC), NOW),
        ("2026-11-01", "America/Sao_Paulo", datetime(2026, 11, 1, 3, 0, tzinfo=UTC), NOW),
        ("2026-11-01..2026-11-03", "UTC", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC)),
        (" 2026-11-01 .. 2026-11-01 ", "UTC", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)),
        ("2026-11-19..2026-12-24", "UTC", datetime(2026, 11, 19, tzinfo=UTC), NOW),
    ],
)
def test_spans_and_days(written: str, zone: str, since: datetime, until: datetime) -> None:
    assert period(written, zone, NOW) == (since, until)


@pytest.mark.parametrize(
    "written", ["", "yesterday", "30", "..", "2026-11-01..", "..2026-11-01", "30d..7d", "2026-13-01"]
)
def test_what_is_neither_is_refused_with_how_to_write_it(written: str) -> None:
    with pytest.raises(UsageError, match=r"write it like 30d, 2026-11-01 or 2026-11-01\.\.2026-11-15"):
        period(written, "UTC", NOW)


@pytest.mark.parametrize("written", ["0d", "2026-11-21", "2026-11-10..2026-11-09", "2027-01-01..2027-02-01"])
def test_nothing_lies_in_a_time_that_ends_before_it_begins(written: str) -> None:
    with pytest.raises(UsageError, match="nothing lies between"):
        period(written, "UTC", NOW)
