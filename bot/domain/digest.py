"""The week in one message to the leads: figures and pairs of teams, and no words of anybody."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.domain.outcomes import Outcome
from bot.domain.posts import Post
from bot.domain.report_posts import Digest
from bot.domain.review import Review
from bot.domain.tasks import Task

DAYS = 14
"""Days in the picture: the week, and the one before to compare."""
_WEEK = 7
_PAIRS = 3


class Digests(Protocol):
    """Puts a digest for the leads into the outbox, once, however many processes try."""

    async def owe_digest(self, task: str, tick: str, posts: Sequence[Post], now: datetime) -> bool:
        """Owe the digest. False: it was owed already."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Conversations in figures, which can be added up: of a busy week nobody holds all at once."""

    decided: int = 0
    asked: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(decided, belongs) -> how many were moved so."""
    teams: Counter[str] = field(default_factory=Counter)
    """Team -> how many it has."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.decided + other.decided,
            self.asked + other.asked,
            self.moves + other.moves,
            self.teams + other.teams,
        )


def tally(outcomes: Sequence[Outcome]) -> Tally:
    """The figures of these conversations."""
    return Tally(
        len(outcomes),
        sum(one.asked for one in outcomes),
        Counter((one.first.label, one.ended) for one in outcomes if one.moved),
        Counter(one.ended for one in outcomes),
    )


def digest(task: Task, made: Review, days: Sequence[Tally]) -> list[Post]:
    """The digest, for the fallback team's rooms, where the leads are. `days`: each of the last `DAYS`, oldest first."""
    week = sum(days[-_WEEK:], Tally())
    pairs = week.moves.most_common(_PAIRS)
    content = Digest(
        task=task.name,
        days=tuple(day.decided for day in days),
        decided=week.decided,
        moved=week.moves.total(),
        asked=week.asked,
        pairs=tuple((decided, belongs) for (decided, belongs), _ in pairs),
        counts=tuple(count for _, count in pairs),
        groups=tuple(len(group.outcomes) for group in made.groups),
        drifted=tuple(drift.measure.value for drift in made.drifts.values() if drift.alarm),
        waiting=len(made.queue),
        teams=tuple((task.shown(name), count) for name, count in week.teams.most_common()),
    )
    return [Post(room, content) for room in task.leads_rooms]
