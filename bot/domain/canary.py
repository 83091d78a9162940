"""A candidate that the gate let through serves a share of the requests first; corrections may still take it back.

The gate has decided by then, so a canary can only refuse: it serves everybody once it has been out for long enough and
corrections do not speak against it.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.domain.automatic_rollback import Corrections
from bot.domain.learning import Adapter
from bot.domain.plural import counted
from bot.domain.posts import Post
from bot.domain.report_posts import LearningReport, Trial
from bot.domain.tasks import Task

FALSE_ALARM = 0.05
"""The chance that a candidate that is corrected no more often than the champion is ever withdrawn."""
_TIMES_WORSE = (1.25, 1.5, 2.0, 3.0, 5.0)
"""How many times as often it may be corrected: a mixture, so that none of them has to be right."""
LEAST, ENOUGH = timedelta(days=3), 300
"""It serves everybody after at least so many days, once so many of its decisions had a day to be corrected: by then
nine of ten canaries that are corrected twice as often are found out (`benchmarks/canary.py`)."""
LONGEST = timedelta(days=28)
"""After this it serves everybody, however few requests came in: the gate had found it better."""


class End(StrEnum):
    """How a canary ended."""

    PROMOTED = "promoted"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    """Somebody moved the pointer meanwhile, or another candidate came."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A candidate on trial."""

    id: int
    task: str
    adapter: Adapter
    champion: str
    """The adapter that serves the other conversations."""
    share: float
    started: datetime

    def serves(self, conversation: int) -> bool:
        """Whether it serves this conversation: the same answer every time, in every process."""
        drawn = hashlib.sha256(f"{self.adapter.name} {conversation}".encode()).digest()
        return int.from_bytes(drawn[:8], "big") < self.share * 2**64


@dataclass(frozen=True, slots=True)
class Record:
    """The corrections of both sides' decisions since it began, without those of the last day."""

    canary: Corrections
    champion: Corrections


class Canaries(Protocol):
    """The canary of a task, how both sides fare, and how it ends."""

    async def canary(self, task: str, base: str) -> Canary | None:
        """The canary; None: there is none."""

    async def record(self, canary: Canary, now: datetime) -> Record: ...

    async def end(self, canary: Canary, how: End, reason: str, posts: Sequence[Post], now: datetime) -> bool:
        """End it, move the pointer if promoted, and owe the posts, in one transaction. False: it has ended already."""


def worse(record: Record) -> bool:
    """Whether the candidate is corrected more often than the champion.

    If it were not, each correction would fall on the candidate's side with at most its share of the decisions, whatever
    leads correct and however that changes: hence a sequential probability ratio test (Wald 1945) of that share against
    a mixture of larger ones (Robbins 1970), which may be looked at at any time (Ville 1939).
    """
    decided = record.canary.decided + record.champion.decided
    if not record.canary.decided or not record.champion.decided:
        return False
    share = record.canary.decided / decided
    on_it, on_others = record.canary.corrected, record.champion.corrected
    ratios = []
    for times in _TIMES_WORSE:
        larger = share * times / (share * times + 1 - share)
        ratios.append(on_it * math.log(larger / share) + on_others * math.log((1 - larger) / (1 - share)))
    top = max(ratios)
    return top + math.log(sum(math.exp(one - top) for one in ratios) / len(ratios)) >= -math.log(FALSE_ALARM)


def verdict(canary: Canary, record: Record, now: datetime) -> End | None:
    """How it ends now; None: it goes on."""
    if worse(record):
        return End.WITHDRAWN
    out = now - canary.started
    known = out >= LEAST and record.canary.decided >= ENOUGH
    return End.PROMOTED if known or out >= LONGEST else None


def told(task: Task, canary: Canary, record: Record, how: End, leads: Task | None = None) -> list[Post]:
    """The posts to the leads' rooms: how it ended, and on which figures.

    `leads` is the task that routes, where the canary is another task's: a question has no rooms of its own.
    """
    figures = Trial(
        canary.share, record.canary.decided, record.canary.corrected, record.champion.decided, record.champion.corrected
    )
    report = LearningReport(task.name, canary.adapter.name, how is End.PROMOTED, (), trial=figures)
    return [Post(room, report) for room in (leads or task).leads_rooms]


def why(canary: Canary, record: Record) -> str:
    """The reason for the registry, in the same figures."""
    mine, others = record.canary, record.champion
    return (
        f"as a canary of {canary.share:.0%} leads corrected {mine.corrected} "
        f"of its {counted(mine.decided, 'decision')}, and {others.corrected} of {others.decided} of {canary.champion}"
    )
