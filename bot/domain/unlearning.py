"""Erasure reaches models: an adapter that learned from somebody's texts serves for a limited time, and keeps no copy.

An adapter cannot unlearn a sentence. So the next learning cycle trains without it, and on a day that is named to
whoever asked, the adapter stops serving, whether that cycle found a better one or not.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An adapter that stopped serving because its time was over."""

    adapter: str
    instead: str | None
    """What serves now; None: the voices beside the model and the memory decide alone."""


class Unlearning(Protocol):
    """The adapters that may serve for a limited time only."""

    async def withdraw_due(self, task: str, base: str, now: datetime) -> Withdrawn | None:
        """If the champion's time is over, let the newest earlier champion serve that still may.

        A candidate that serves a share of the requests stops as well when its time is over. None: the champion stays.
        Over several processes this happens once.
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
