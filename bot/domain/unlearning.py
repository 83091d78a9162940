"""Erasure reaches models: an adapter that learned from somebody's texts serves for a limited time, and keeps no copy.

An adapter cannot unlearn a sentence. So the next learning cycle trains without it, and on a day that is named to
whoever asked, the adapter stops serving, whether that cycle found a better one or not.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.posts import Post


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An adapter that stops serving because its time is over: the champion, or a canary."""

    adapter: str
    instead: str | None
    """What serves from then on; None: the voices beside the model and the memory decide alone."""


class Unlearning(Protocol):
    """The adapters that may serve for a limited time only."""

    async def due(self, task: str, base: str, now: datetime) -> Sequence[Withdrawn]:
        """The adapters that serve though their time is over; none nearly always.

        Instead of a champion the newest earlier champion is to serve that still may; instead of a canary, the champion.
        """

    async def withdraw(
        self, task: str, base: str, gone: Sequence[Withdrawn], posts: Sequence[Post], now: datetime
    ) -> bool:
        """Let those serve instead that `due` named, and owe the posts, in one transaction.

        False: something else serves since, so nothing changed; over several processes it happens once.
        """

    async def voided(self) -> Collection[str]:
        """The adapters' names of all trainings whose set may have held words of somebody who was erased.

        They stay listed: a copy that could not be removed, or that is on another machine, may still be found.
        """


def rehearsal_of(adapter: str) -> str:
    """The name of the rehearsal of an adapter's training (`flow.steering`)."""
    return f"{adapter}-rehearsal"


class TrainingTexts(Protocol):
    """What trainings leave on this machine's disk, above all copies of people's texts."""

    async def remove(self, adapters: Collection[str]) -> None:
        """Remove the texts of these trainings and their rehearsals. A running one then fails; finished adapters stay.

        Idempotent. Raises Refused where a file cannot be removed.
        """

    async def discard(self, adapter: str) -> None:
        """Remove that training's whole folder: the adapter is no longer needed. Idempotent. Raises Refused."""
