"""The life of a correction: remembered, in a training set, learned, retired; or held back, or withdrawn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.guards import Held
from bot.domain.learning import Example, Side


class Stage(StrEnum):
    """Where a correction is in its life."""

    REMEMBERED = "remembered"
    """It is in the memory: messages like it are decided right from now on."""
    IN_TRAINING = "in_training"
    """It was in a training set whose adapter does not serve, at least not yet."""
    LEARNED = "learned"
    """The adapter that serves learned from it; it still votes in the memory, too."""
    RETIRED = "retired"
    """The voices that serve get it right alone; the memory keeps it for the very same text only."""
    QUARANTINED = "quarantined"
    """It is not learned before a second lead agrees."""
    DISPUTED = "disputed"
    """Leads name different teams; it is not learned before they agree."""
    WITHDRAWN = "withdrawn"
    """Its lead took it back, another took its place, or its team was retired."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored about a correction, and about the adapters that may have learned from it."""

    side: Side
    withdrawn: bool = False
    held: Held | None = None
    drawn: bool = False
    """Whether it was there when a training set was drawn up."""
    learned_by: str | None = None
    """The adapter that serves, if its training set had it."""
    retired_by: str | None = None
    """The adapter that gets it right without the memory."""


@dataclass(frozen=True, slots=True)
class CorrectionLife:
    """A correction as it is listed. Its text is for leads alone."""

    example: int
    label: str
    lead: str | None
    recorded: datetime
    facts: Facts
    text: str = ""

    @property
    def stage(self) -> Stage:
        return stage_of(self.facts)

    @property
    def adapter(self) -> str | None:
        """The adapter that learned it, if it serves."""
        return self.facts.retired_by or self.facts.learned_by


def stage_of(facts: Facts) -> Stage:
    """The stage of a correction. What leads said last about it counts before what learned from it.

    Held-out texts are never learned from: they judge, and stay in the memory for good.
    """
    if facts.withdrawn:
        return Stage.WITHDRAWN
    if facts.held is not None:
        return Stage.DISPUTED if facts.held is Held.DISPUTED else Stage.QUARANTINED
    if facts.retired_by is not None:
        return Stage.RETIRED
    if facts.side is Side.HELD_OUT:
        return Stage.REMEMBERED
    if facts.learned_by is not None:
        return Stage.LEARNED
    return Stage.IN_TRAINING if facts.drawn else Stage.REMEMBERED


class Corrections(Protocol):
    """Every correction ever made, and its life."""

    async def lives(self, task: str, limit: int) -> list[CorrectionLife]:
        """The newest corrections, without the authors of their texts."""

    async def learned(self, task: str, adapter: str) -> Sequence[tuple[int, Example]]:
        """(id, example) of the corrections that this adapter learned; empty where it does not serve (any more)."""

    async def let_go(self, task: str, adapter: str, asked: Sequence[int], right: Sequence[int]) -> int:
        """Of the corrections `asked` about, retire the `right` ones, and let the memory vote with the others again.

        That holds as long as this adapter serves; the very same text stays known by heart. Nothing is done if the
        adapter serves no more, or to a correction that changed meanwhile. Returns how many were retired now.
        """

    async def accept(self, example: int, by: str, now: datetime) -> bool:
        """Let a correction be learned that is held back, though not by a dispute. False: there is none such."""
