"""What became of conversations: who got them first, who has them now, and on whose word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Protocol

from bot.domain.decisions import Decision
from bot.domain.model_ports import Vector


@dataclass(frozen=True, slots=True)
class Outcome:
    """One conversation that was decided."""

    conversation: int
    text: str
    """What was classified; empty where it was erased."""
    first: Decision
    """The first that a machine made; with candidates the person was asked first."""
    at: datetime
    """When it was made."""
    ended: str
    """Where the conversation is now."""
    settled: bool
    """Somebody said so, or acted on it: a lead's ruling stands, the person chose, or the team took it or closed it."""
    moved_at: datetime | None = None
    """When a person first gave it to another team than the first decision had; None: nobody did."""
    disputed: bool = False
    quarantined: bool = False
    """What was to be learned from it waits for another lead."""
    vector: Vector | None = None
    said: bool = False
    """It was settled by somebody's word, or by a reassignment: not only because a team took it, or closed it."""

    @property
    def asked(self) -> bool:
        return bool(self.first.candidates)

    @property
    def moved(self) -> bool:
        """Somebody gave it to another team than it was brought to."""
        return not self.asked and self.moved_at is not None and self.ended != self.first.label


class Outcomes(Protocol):
    """Reads what became of conversations."""

    async def outcomes(
        self, task: str, since: datetime, until: datetime, limit: int, with_vectors: bool = False
    ) -> Sequence[Outcome]:
        """Those whose first decision of the task was made then, the newest `limit`, oldest first."""


def median_lost(outcomes: Sequence[Outcome]) -> float | None:
    """Minutes that a request usually lay with the wrong team before somebody moved it; None: nobody moved any."""
    lost = [(one.moved_at - one.at).total_seconds() / 60 for one in outcomes if one.moved and one.moved_at is not None]
    return median(lost) if lost else None
