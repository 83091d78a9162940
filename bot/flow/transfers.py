"""Attachments on their way, few at a time: their bytes are in memory, several times over, while they are carried."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

MOST = 2
"""Posts with attachments on their way at a time, on all platforms together: of 20 MB each they take 200 MB at most."""
WAIT = timedelta(seconds=1)
"""How long a post waits before it looks again whether there is room."""


@dataclass(slots=True)
class Transfers:
    """Counts what is on its way. One is shared by whatever carries attachments in a process."""

    most: int = MOST
    _now: int = field(default=0, init=False)

    @property
    def full(self) -> bool:
        """Whether the next one has to wait."""
        return self._now >= self.most

    @contextmanager
    def one(self) -> Iterator[None]:
        """While it lasts, one more is on its way."""
        self._now += 1
        try:
            yield
        finally:
            self._now -= 1
