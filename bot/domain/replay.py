"""Past conversations decided by another mixture or threshold: what would have gone elsewhere, and which was right."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.decisions import Decision
from bot.domain.outcomes import Outcome, median_lost


@dataclass(frozen=True, slots=True)
class Replayed:
    """A conversation, and what would be decided on it now."""

    outcome: Outcome
    would: Decision


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both decisions in figures. Only settled conversations of teams that there are count as right or wrong."""

    conversations: int
    settled: int
    elsewhere: int
    """How many would have gone, or been offered first, to another team."""
    gained: int
    """Settled ones that were wrong then and are now right, or asked about."""
    lost: int
    """Settled ones that were right then, or asked about, and are wrong now."""
    asked_then: int
    asked_now: int
    right_then: int
    """Settled ones that were not asked about and are with the team where they ended."""
    right_now: int
    pairs: Mapping[tuple[str, str], int]
    """(team then, team now) -> how many, the most frequent first."""
    minutes_each: float | None
    """The median cost of a reassignment, in minutes; None: there was none."""
    former_teams: int = 0
    """Settled ones that are with a team that no longer exists: no decision of today could be right about them."""

    @property
    def minutes(self) -> float | None:
        """People's minutes that would have been saved: fewer reassignments × what one costs."""
        return None if self.minutes_each is None else (self.gained - self.lost) * self.minutes_each


def compared(replayed: Sequence[Replayed], teams: Collection[str]) -> Comparison:
    """What the other decisions would have changed, where these are the teams that there are.

    A question to the person is neither right nor wrong, and is counted apart.
    """
    settled = [one for one in replayed if one.outcome.settled and one.outcome.ended in teams]
    elsewhere = [one for one in replayed if one.outcome.first.label != one.would.label]
    pairs = Counter((one.outcome.first.label, one.would.label) for one in elsewhere)
    return Comparison(
        conversations=len(replayed),
        settled=len(settled),
        elsewhere=len(elsewhere),
        gained=sum(_wrong(one.outcome.first, one) and not _wrong(one.would, one) for one in settled),
        lost=sum(_wrong(one.would, one) and not _wrong(one.outcome.first, one) for one in settled),
        asked_then=sum(one.outcome.asked for one in replayed),
        asked_now=sum(bool(one.would.candidates) for one in replayed),
        right_then=sum(_right(one.outcome.first, one) for one in settled),
        right_now=sum(_right(one.would, one) for one in settled),
        pairs=dict(pairs.most_common()),
        minutes_each=median_lost([one.outcome for one in replayed]),
        former_teams=sum(one.outcome.settled and one.outcome.ended not in teams for one in replayed),
    )


def _wrong(made: Decision, one: Replayed) -> bool:
    return not made.candidates and made.label != one.outcome.ended


def _right(made: Decision, one: Replayed) -> bool:
    return not made.candidates and made.label == one.outcome.ended
