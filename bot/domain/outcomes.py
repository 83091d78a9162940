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
    """What people read of it: on which they settled it, else as it is now, if its person changed it after the decision;
    empty if it was erased."""
    first: Decision
    """The first decision by a machine; with candidates the person was asked first."""
    at: datetime
    """When it was made."""
    ended: str
    """Where the conversation is now."""
    settled: bool
    """Whether people settled it: a lead's ruling stands, the person chose, or the team took or closed it."""
    moved_at: datetime | None = None
    """When a person first gave it to another team than the first decision did; None: nobody did."""
    disputed: bool = False
    quarantined: bool = False
    """Whether its correction is not learned until another lead agrees."""
    vector: Vector | None = None
    """Of this very text; None: there is none, or it was not wanted."""
    said: bool = False
    """Whether a statement or a reassignment settled it, and not only that a team took or closed it."""

    @property
    def asked(self) -> bool:
        return bool(self.first.candidates)

    @property
    def moved(self) -> bool:
        """Whether somebody gave it to another team than it was brought to."""
        return not self.asked and self.moved_at is not None and self.ended != self.first.label


class Outcomes(Protocol):
    """Reads what became of conversations."""

    async def outcomes(
        self, task: str, since: datetime, until: datetime, limit: int, vectors_by: str | None = None
    ) -> Sequence[Outcome]:
        """Those whose first decision of the task was made then: the newest `limit`, in order, oldest first.

        `vectors_by` names the embedder whose vectors come with them; those of another one cannot be compared with its
        vectors, and are left out. None: no vectors.
        """


def median_lost(outcomes: Sequence[Outcome]) -> float | None:
    """The median minutes that a moved request was with the wrong team before; None: none was moved."""
    lost = [(one.moved_at - one.at).total_seconds() / 60 for one in outcomes if one.moved and one.moved_at is not None]
    return median(lost) if lost else None
