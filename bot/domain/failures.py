"""Items of work that fail: how long each waits for its next attempt, and when it is set aside for people to look at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.errors import SwitchboardError, Unreachable

MOST_ATTEMPTS = 5
"""An item that failed so often is set aside: it would fail for ever, and others wait."""
STEPS = (
    *("intake", "sort", "ask", "press", "correct", "relay", "note", "edit", "remind", "deliver", "embed"),
    *("hand_on", "shadow_press", "webhook"),
)
"""The steps whose items may fail, by their names in metrics and `switchboard failed`."""
_LONGEST_WAIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ItemKey:
    """Identifies an item among all steps' work."""

    step: str
    item: str
    """Its id among the items of that step."""
    conversation: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt at an item."""

    key: ItemKey
    reason: str
    """The kind of error, and our own words if there are any; never what people wrote."""
    later: bool = False
    """Whether the item is fine but another side that it needs does not answer: it waits, and is never set aside."""
    final: bool = False
    """Whether it can never succeed here: it is set aside at once."""


@dataclass(frozen=True, slots=True)
class FailedItem:
    """An item that was set aside."""

    id: int
    step: str
    item: str
    conversation: int | None
    reason: str
    attempts: int
    first_at: datetime
    last_at: datetime


def failure_of(key: ItemKey, error: Exception) -> Failure:
    """What an error means for the item that raised it."""
    return Failure(key, reason_of(error), later=isinstance(error, Unreachable | TimeoutError))


def reason_of(error: Exception) -> str:
    """The kind of error; with its message only where that is ours, since others may quote what people wrote."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, SwitchboardError) and str(error) else name


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts: twice as long after each, from one second to ten minutes."""
    return min(timedelta(seconds=2 ** min(max(attempts, 1) - 1, 16)), _LONGEST_WAIT)
