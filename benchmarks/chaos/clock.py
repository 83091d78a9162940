"""The wall clock of a bot, ahead of the machine's or behind it by as many seconds as a file says."""

import time
from pathlib import Path

CLOCK = "CHAOS_CLOCK"
"""The file, in the environment of a bot; a missing one says that the clock is right."""
_right = time.time


class SteppedClock:
    """What `time.time` says once it is installed; timers go by another clock, as they do."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def time(self) -> float:
        """Seconds since 1970."""
        return _right() + self.ahead

    @property
    def ahead(self) -> float:
        """Seconds; below 0: behind."""
        try:
            return float(self._file.read_text("utf-8"))
        except (OSError, ValueError):  # not there, or just being written
            return 0.0

    def install(self) -> None:
        """For all that asks from now on."""
        time.time = self.time
