"""The week in one message to the leads: figures and pairs of teams, and no words of anybody."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
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


def digest(task: Task, made: Review, now: datetime) -> list[Post]:
    """The digest, for the fallback team's rooms, where the leads are."""
    week = [one for one in made.outcomes if one.at >= now - timedelta(days=_WEEK)]
    moved = [one for one in week if one.moved]
    pairs = Counter((one.first.label, one.ended) for one in moved).most_common(_PAIRS)
    content = Digest(
        task=task.name,
        days=_a_day(made.outcomes, now),
        decided=len(week),
        moved=len(moved),
        asked=sum(one.asked for one in week),
        pairs=tuple((decided, belongs) for (decided, belongs), _ in pairs),
        counts=tuple(count for _, count in pairs),
        groups=tuple(len(group.outcomes) for group in made.groups),
        drifted=tuple(drift.measure.value for drift in made.drifts.values() if drift.alarm),
        waiting=len(made.queue),
        teams=tuple((task.shown(name), count) for name, count in Counter(one.ended for one in week).most_common()),
    )
    return [Post(room, content) for room in task.label(task.fallback).deliver_to.values()]


def _a_day(outcomes: Sequence[Outcome], now: datetime) -> tuple[int, ...]:
    """Conversations on each of the last days, oldest first; a day is 24 hours, and the last ends now."""
    ago = Counter((now - one.at).days for one in outcomes)
    return tuple(ago[day] for day in reversed(range(DAYS)))
