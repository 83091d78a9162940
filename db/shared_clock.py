"""The time by the database's clock: one for all processes that share its claims, whatever their own clocks do.

A claim holds for a minute. A process whose clock is two minutes ahead of the others', or was set while it ran, would
take their claims for expired, and say once more what they are just saying.
"""

import time
from datetime import UTC, datetime

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that nobody sets. On Linux it also counts the time that the machine was suspended."""


class SharedClock:
    """What the database said last, and how long ago that was by the clock that nobody sets."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        """Seconds from that clock to the database's; None: not heard yet."""

    def heard(self, at: datetime) -> None:
        """That is what it says now."""
        self._ahead = at.timestamp() - time.clock_gettime(_STEADY)

    def now(self) -> datetime:
        """Until the database was heard, by the clock of this machine."""
        seconds = time.time() if self._ahead is None else time.clock_gettime(_STEADY) + self._ahead
        return datetime.fromtimestamp(seconds, UTC)


SHARED = SharedClock()
"""Of this process."""
