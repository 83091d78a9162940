"""The time by the database's clock: one for all processes that share its claims, whatever their own clocks show.

A claim holds for a minute. A process whose clock is two minutes ahead of the others', or was set while it ran, would
take their claims for expired, and say once more what they are just saying.
"""

import time
from datetime import UTC, datetime

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""A clock that nobody sets. On Linux it also counts the time that the machine was suspended."""


class SharedClock:
    """The time the database last reported, carried forward by a clock that nobody can set."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        """Seconds from that clock to the database's; None: the database has not reported its time yet."""

    def heard(self, at: datetime) -> None:
        """Take `at` as the database's time of this moment."""
        self._ahead = at.timestamp() - time.clock_gettime(_STEADY)

    def now(self) -> datetime:
        """The time now; until the database has reported its time, by this machine's clock."""
        seconds = time.time() if self._ahead is None else time.clock_gettime(_STEADY) + self._ahead
        return datetime.fromtimestamp(seconds, UTC)


SHARED = SharedClock()
"""The shared clock of this process."""
