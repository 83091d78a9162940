"""What follows from a label of a further question, as the settings declare it. Pure.

Nothing follows from a guess: an answer has to be as sure as the question asks (`ask_below`, `unasked_right`), or a
lead's word.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.messages import Place


class Follows(StrEnum):
    """One kind of consequence, by its word in the settings."""

    TELL = "tell"
    SOONER = "sooner"
    HOLD = "hold"
    FIRST = "first"
    ALSO_TO = "also_to"


@dataclass(frozen=True, slots=True)
class Consequences:
    """All consequences of a label."""

    tell: tuple[Place, ...] = ()
    """Rooms that are told of it, without anybody's words."""
    also_to: tuple[Place, ...] = ()
    """Rooms that get a copy of the card."""
    sooner: timedelta | None = None
    """How long the team has to take it; None: as long as for any other."""
    hold: bool = False
    """Whether nothing is sent to the person until somebody of the team has looked at it."""
    first: bool = False
    """Whether it comes before others in lists."""

    @property
    def kinds(self) -> tuple[Follows, ...]:
        """The kinds of consequence that it has."""
        holds = {
            Follows.HOLD: self.hold,
            Follows.SOONER: self.sooner is not None,
            Follows.FIRST: self.first,
            Follows.TELL: bool(self.tell),
            Follows.ALSO_TO: bool(self.also_to),
        }
        return tuple(kind for kind, is_so in holds.items() if is_so)

    @property
    def minutes(self) -> int:
        """The time to take it, in whole minutes; 0 if there is none."""
        return 0 if self.sooner is None else max(1, round(self.sooner.total_seconds() / 60))


@dataclass(frozen=True, slots=True)
class Effects:
    """What all answers together mean for the conversation itself; the other consequences are posts."""

    hold: bool = False
    first: bool = False
    sooner: timedelta | None = None


def together(all_of_them: Iterable[Consequences]) -> Effects:
    """The effects of all of them; the shortest time counts."""
    found = list(all_of_them)
    clocks = [one.sooner for one in found if one.sooner is not None]
    return Effects(any(one.hold for one in found), any(one.first for one in found), min(clocks, default=None))
