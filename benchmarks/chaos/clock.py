"""A bot's wall clock, ahead of the machine's or behind it by the seconds that a file contains."""

import time
from pathlib import Path

CLOCK = "CHAOS_CLOCK"
"""The environment variable that names the file; while the file is missing, the clock is right."""
_right = time.time


class SteppedClock:
    """Replaces `time.time` once it is installed; timers use another clock and are not affected."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def time(self) -> float:
        """Seconds since 1970."""
        return _right() + self.ahead

    @property
    def ahead(self) -> float:
        """Seconds ahead of the machine's clock; negative: behind."""
        try:
            return float(self._file.read_text("utf-8"))
        except (OSError, ValueError):  # missing, or just being written
            return 0.0

    def install(self) -> None:
        """Replace `time.time` for all later callers."""
        time.time = self.time
