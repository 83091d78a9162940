"""Whether this machine's clock agrees with a platform's."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.platforms import Finding

_TOLERANCE = timedelta(seconds=30)


def clock(platform: str, date: str | None, now: datetime) -> Finding | None:
    """A finding on our clock, by the `Date` of an HTTP answer received just now; None when there is no date to read.

    A wrong clock delays answers by as much as it is wrong; beyond five minutes, signatures of events are refused.
    """
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    if theirs.tzinfo is None:
        return None
    ahead = now - theirs
    what = f"this machine's clock agrees with {platform}'s"
    if abs(ahead) <= _TOLERANCE:
        return Finding(what, True)
    off = f"{abs(ahead).total_seconds():.0f} s {'ahead of' if ahead > timedelta(0) else 'behind'}"
    return Finding(what, False, f"it is {off} {platform}'s; have this machine's clock set by NTP (timedatectl)")
