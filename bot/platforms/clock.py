"""Whether this machine's clock agrees with a platform's."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.platforms import Finding

_TOLERANCE = timedelta(seconds=30)


def clock(platform: str, date: str | None, now: datetime) -> Finding | None:
    """What the `Date` of an HTTP answer that came just now says of our clock; None when it has none to read.

    A clock that is wrong delays answers by as much, and signatures of events are refused beyond five minutes.
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
