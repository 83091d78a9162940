"""How far a training is, on one post to the leads that is rewritten until it shows the result. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.learning import Cycle, Phase
from bot.domain.messages import Place
from bot.domain.posts import Content, Post
from bot.domain.report_posts import TrainingProgress
from bot.domain.tasks import Task

STEP = 10
"""Per cent between two wordings: readers see that it goes on, and chats are not rewritten all day."""
LOOKED_AT = 5
"""How many of a task's newest cycles are looked at: some may wait behind the one at work, or have failed just now."""
_AT_WORK = (Phase.TRAINING, Phase.SCORING)


class TrainingPosts(Protocol):
    """A cycle's posts in the leads' rooms."""

    async def told(self, cycle: int) -> Mapping[Place, Content]:
        """Room -> the post's present content."""

    async def tell(self, cycle: Cycle, posts: Sequence[Post], now: datetime) -> None:
        """Say these, each by rewriting the cycle's post in that room, if there is one.

        Nothing is said if the cycle has moved to another phase: its result is never overwritten.
        """


def progress(task: Task, cycle: Cycle, told: Mapping[Place, Content]) -> list[Post]:
    """The posts that the leads' rooms lack; for a failed cycle only in rooms that were told of it."""
    rooms = [room for room in task.leads_rooms if room in told or cycle.phase in _AT_WORK]
    now = _now(cycle)
    return [Post(room, now) for room in rooms if now is not None and told.get(room) != now]


def shows_progress(cycle: Cycle) -> bool:
    """Whether there is progress to show: none before it trains, and once there is a verdict."""
    return _now(cycle) is not None


def at_work(newest: Sequence[Cycle]) -> Cycle | None:
    """The cycle that trains or is scored, of the newest first; else the newest. None: there is none."""
    return next((cycle for cycle in newest if cycle.phase in _AT_WORK), next(iter(newest), None))


def _now(cycle: Cycle) -> TrainingProgress | None:
    """The progress to show; None: there is none yet, or the verdict shows it."""
    if cycle.adapter is None or cycle.phase not in (*_AT_WORK, Phase.FAILED):
        return None
    if cycle.phase is Phase.FAILED:
        return TrainingProgress(cycle.task, cycle.adapter, cycle.phase, 0, cycle.problem)
    percent = min(100, int(cycle.progress * 100 + 1e-9)) // STEP * STEP
    return TrainingProgress(cycle.task, cycle.adapter, cycle.phase, percent)
