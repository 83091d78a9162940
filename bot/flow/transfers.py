"""Limits the attachments on their way: while one is carried, its bytes are in memory several times over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

MOST = 2
"""How many posts with attachments may be on their way on all platforms together; at 20 MB each they take 200 MB."""
WAIT = timedelta(seconds=1)
"""How long a post waits before it looks again for room."""


@dataclass(slots=True)
class Transfers:
    """Counts the posts with attachments on their way. All that carry attachments in a process share one."""

    most: int = MOST
    _now: int = field(default=0, init=False)

    @property
    def full(self) -> bool:
        """Whether the next one has to wait."""
        return self._now >= self.most

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one more as on its way, as long as the context lasts."""
        self._now += 1
        try:
            yield
        finally:
            self._now -= 1
