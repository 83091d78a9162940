"""Limits the requests of one person a minute, so that somebody who writes without end keeps nobody waiting."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

_SPAN = timedelta(minutes=1)
_MANY_PEOPLE = 10_000
"""With more people than that, those who were silent for a while are forgotten."""


class Turn(Enum):
    """Whether somebody's request is handled now."""

    NOW = "now"
    LAST = "last"
    """Now, and as the last one of this minute: they are told that the rest takes longer."""
    LATER = "later"


@dataclass(slots=True)
class PersonPace:
    """The turns of the last minute, by person, that this process gave."""

    most: int
    """Turns a minute; 0: without limit."""
    _turns: dict[str, deque[datetime]] = field(default_factory=dict, init=False)

    def turn(self, person: str, now: datetime) -> Turn:
        """Take a turn, if one is left."""
        if not self.most:
            return Turn.NOW
        if len(self._turns) > _MANY_PEOPLE:
            self._turns = {who: turns for who, turns in self._turns.items() if turns[-1] > now - _SPAN}
        turns = self._turns.setdefault(person, deque(maxlen=self.most))
        if len(turns) == self.most and turns[0] > now - _SPAN:
            return Turn.LATER
        turns.append(now)
        return Turn.LAST if len(turns) == self.most and turns[0] > now - _SPAN else Turn.NOW
