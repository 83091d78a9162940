"""When a team is there, and when it will be back."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SPAN = re.compile(r"(?P<first>[A-Z][a-z]{2})(?:-(?P<last>[A-Z][a-z]{2}))? (?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Span:
    """Open on these weekdays (0 is Monday) from `opens` to `closes`, the same day; `time.max` is midnight."""

    days: frozenset[int]
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours of a week, in one time zone."""

    spans: tuple[Span, ...]
    zone: ZoneInfo

    def open_at(self, now: datetime) -> bool:
        """Whether the team is there; `now` in any time zone."""
        local = now.astimezone(self.zone)
        return any(local.weekday() in s.days and s.opens <= local.time() < s.closes for s in self.spans)

    def within(self, other: "Hours") -> bool:
        """Whether all of these hours are among the other's, in one time zone."""
        if self.zone != other.zone:
            return False
        return all(_covered(span, day, other.spans) for span in self.spans for day in span.days)

    @property
    def always(self) -> bool:
        """Whether it is open all week."""
        return Hours((_ALL_WEEK,), self.zone).within(self)

    def back_at(self, now: datetime) -> datetime | None:
        """When the team will be there again; None if it is there now."""
        if self.open_at(now):
            return None
        local = now.astimezone(self.zone)
        coming = [
            datetime.combine(local.date() + timedelta(days=ahead), span.opens, self.zone)
            for ahead in range(8)
            for span in self.spans
            if (local.weekday() + ahead) % 7 in span.days
        ]
        return min(moment for moment in coming if moment > local)


def _covered(span: Span, day: int, by: tuple[Span, ...]) -> bool:
    """Whether all of the span, on one of its days, is within the others together."""
    reached = span.opens
    for other in sorted((one for one in by if day in one.days), key=lambda one: one.opens):
        if other.opens <= reached:
            reached = max(reached, other.closes)
    return reached >= span.closes


_ALL_WEEK = Span(frozenset(range(len(DAYS))), time.min, time.max)
_MIDNIGHT = "24:00"


def hours(written: str, zone: str) -> Hours:
    """Hours as the settings write them, "Mon-Fri 09:00-17:30, Sat 10:00-14:00". Raises ValueError naming the form."""
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{zone!r} is no time zone; write one like Europe/Lisbon") from error
    return Hours(tuple(_span(part.strip()) for part in written.split(",")), where)


def _span(written: str) -> Span:
    found = _SPAN.fullmatch(written)
    how = f'{written!r} are no hours; write "Mon-Fri 09:00-17:30, Sat 10:00-14:00"'
    if found is None or found["first"] not in DAYS or (found["last"] or "Mon") not in DAYS:
        raise ValueError(how)
    first, last = DAYS.index(found["first"]), DAYS.index(found["last"] or found["first"])
    days = frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))
    try:
        opens, closes = time.fromisoformat(found["opens"]), _closes(found["closes"])
    except ValueError as error:
        raise ValueError(how) from error
    if opens >= closes:
        raise ValueError(f"{written!r} closes before it opens; write a night as two spans, the first until 24:00")
    return Span(days, opens, closes)


def _closes(written: str) -> time:
    return time.max if written == _MIDNIGHT else time.fromisoformat(written)
