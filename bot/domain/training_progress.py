"""How far a training is, told to the leads on one post that is rewritten until it says what came of it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.learning import Cycle, Phase
from bot.domain.messages import Place
from bot.domain.posts import Content, Post
from bot.domain.report_posts import TrainingProgress
from bot.domain.tasks import Task

STEP = 10
"""Per cent between two wordings: whoever looks sees that it goes on, and nobody's chat rewrites all day."""
_AT_WORK = (Phase.TRAINING, Phase.SCORING)


class TrainingPosts(Protocol):
    """The posts that a cycle has in the leads' rooms."""

    async def told(self, cycle: int) -> Mapping[Place, Content]:
        """What they say by now."""

    async def tell(self, cycle: Cycle, posts: Sequence[Post], now: datetime) -> None:
        """Say these, each by rewriting the cycle's post in that room, where there is one.

        Nothing is said where the cycle is in another phase by now: what became of it is never written over.
        """


def progress(task: Task, cycle: Cycle, told: Mapping[Place, Content]) -> list[Post]:
    """What the rooms of the leads do not say yet; of a cycle that failed only those that heard of it."""
    rooms = [room for room in task.label(task.fallback).deliver_to.values() if room in told or cycle.phase in _AT_WORK]
    now = _now(cycle)
    return [Post(room, now) for room in rooms if now is not None and told.get(room) != now]


def _now(cycle: Cycle) -> TrainingProgress | None:
    """None: there is nothing to say yet, or the verdict says it."""
    if cycle.adapter is None or cycle.phase not in (*_AT_WORK, Phase.FAILED):
        return None
    if cycle.phase is Phase.FAILED:
        return TrainingProgress(cycle.task, cycle.adapter, cycle.phase, 0, cycle.problem)
    percent = min(100, int(cycle.progress * 100 + 1e-9)) // STEP * STEP
    return TrainingProgress(cycle.task, cycle.adapter, cycle.phase, percent)
