"""A time in the past, as written for a command."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.commands.replay import span
from bot.domain.errors import UsageError

SettledSince = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="WHEN",
        help="By the settled messages since then: 30d, a day (2026-11-01), or from..to (2026-11-01..2026-11-15).",
    ),
]


def period(written: str, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """(from, until) of a span back from now, of a day until now, or of two days, both included.

    Days are those of the time zone. Raises UsageError that says how to write one.
    """
    since, until = _ends(written, UTC if zone == "UTC" else ZoneInfo(zone), now)
    if since >= min(until, now):
        raise UsageError(f"--since {written}: nothing lies between; write the earlier day first, and none to come")
    return since, min(until, now)


def _ends(written: str, place: tzinfo, now: datetime) -> tuple[datetime, datetime]:
    first, dots, last = (part.strip() for part in written.partition(".."))
    begin, end = _day(first), _day(last)
    if dots and begin is not None and end is not None:
        return _midnight(begin, place), _midnight(end + timedelta(days=1), place)
    if not dots and begin is not None:
        return _midnight(begin, place), now
    try:
        return now - span(written), now
    except (UsageError, OverflowError) as error:
        raise UsageError(
            f"--since {written!r} is neither a span nor a day; write it like 30d, 2026-11-01 or 2026-11-01..2026-11-15"
        ) from error


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _midnight(day: date, place: tzinfo) -> datetime:
    return datetime.combine(day, time(), place).astimezone(UTC)
