"""A circuit breaker: a server that fails several times in a row is not called for a while, then tried by a single call.

Nygard, "Release It!", 2007.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from bot.domain.errors import Refused, Unreachable

log = logging.getLogger(__name__)

FAILURES = 3
"""Unanswered calls in a row after which it opens."""
PAUSE = 5.0
"""Seconds after which one call tries whether the other side is back."""


class Circuit(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One call is trying; no others are made."""


class CircuitBreaker:
    """Guards the calls to one server."""

    def __init__(self, who: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._who = who
        self._clock = clock
        self._failures = 0
        self._ask_at = 0.0
        self.state = Circuit.CLOSED

    @property
    def closed(self) -> bool:
        """Whether calls are made as usual."""
        return self.state is Circuit.CLOSED

    @contextmanager
    def call(self) -> Iterator[None]:
        """Wrap one call. Raises Unreachable at once, without the call, while the circuit is open."""
        if self.state is Circuit.HALF_OPEN or (self.state is Circuit.OPEN and self._clock() < self._ask_at):
            raise Unreachable(f"{self._who}: not asked, it did not answer {self._failures} times running")
        if self.state is Circuit.OPEN:
            self.state = Circuit.HALF_OPEN
        try:
            yield
        except Unreachable:
            self._failed()
            raise
        except Refused:  # a refusal is an answer, too
            self._answered()
            raise
        except BaseException:  # the caller gave up: it says nothing about the other side
            self.state = Circuit.CLOSED if self.state is Circuit.CLOSED else Circuit.OPEN
            raise
        self._answered()

    def _failed(self) -> None:
        self._failures += 1
        if self._failures < FAILURES:
            return
        if self.state is Circuit.CLOSED:
            log.warning("circuit opened", extra={"server": self._who, "failures": self._failures})
        self.state, self._ask_at = Circuit.OPEN, self._clock() + PAUSE

    def _answered(self) -> None:
        if self.state is not Circuit.CLOSED:
            log.warning("circuit closed", extra={"server": self._who})
        self.state, self._failures = Circuit.CLOSED, 0
