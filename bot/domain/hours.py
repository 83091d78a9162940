"""When a team is there, and when it will be back."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SPAN = re.compile(r"(?P<first>[A-Z][a-z]{2})(?:-(?P<last>[A-Z][a-z]{2}))? (?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Span:
    """Open on these weekdays (0 is Monday) from `opens` to `closes`, the same day; 24:00 is written 23:59."""

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
        opens, closes = time.fromisoformat(found["opens"]), time.fromisoformat(found["closes"])
    except ValueError as error:
        raise ValueError(how) from error
    if opens >= closes:
        raise ValueError(f"{written!r} closes before it opens; write a night as two spans")
    return Span(days, opens, closes)
