"""Forgetting reaches models: what had learned from somebody's texts serves for a while at most, and keeps no copy.

An adapter cannot unlearn a sentence. So the next learning cycle trains without it, and on a day that is named to
whoever asked the adapter stops serving, whether that cycle found a better one or not.
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
    """Which adapters may not serve for ever."""

    async def withdraw_due(self, task: str, base: str, now: datetime) -> Withdrawn | None:
        """Let the newest earlier champion that may serve do so where the present one's time is over.

        None: it is not. Over several processes it happens once.
        """

    async def voided(self) -> Collection[str]:
        """The trainings whose set may have held words of somebody who was forgotten, by their adapters' names.

        For good: a copy that could not be removed, or that lies on another machine, is still to be found.
        """


def rehearsal_of(adapter: str) -> str:
    """What the rehearsal of an adapter's training is called (`flow.steering`)."""
    return f"{adapter}-rehearsal"


class TrainingTexts(Protocol):
    """What trainings leave on this machine's disk, copies of people's texts above all."""

    async def remove(self, adapters: Collection[str]) -> None:
        """Remove those of these trainings and of their rehearsals. One that runs then fails; what it made is kept.

        Idempotent. Raises Refused where a file cannot be removed.
        """

    async def discard(self, adapter: str) -> None:
        """Remove that training's whole folder: nobody will ask for the adapter again. Idempotent. Raises Refused."""
