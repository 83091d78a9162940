"""The life of a correction: remembered, in a training set, learned, let go of; or held back, or withdrawn. Pure."""

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
    """The memory knows it: what is like it goes right from the next message on."""
    IN_TRAINING = "in_training"
    """A training set had it, of which no adapter serves (yet)."""
    LEARNED = "learned"
    """The adapter that serves learned from it; the memory still knows it, too."""
    RETIRED = "retired"
    """The voices that serve get it right alone; the memory knows only the very text by heart."""
    QUARANTINED = "quarantined"
    """It teaches nobody before a second lead agrees."""
    DISPUTED = "disputed"
    """Leads name different teams; it teaches nobody before they agree."""
    WITHDRAWN = "withdrawn"
    """Its lead took it back, another took its place, or its team was retired."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored about a correction, and about those who may have learned from it."""

    side: Side
    withdrawn: bool = False
    held: Held | None = None
    drawn: bool = False
    """It was there when a training set was drawn up."""
    learned_by: str | None = None
    """The adapter that serves, if its training set had it."""
    retired_by: str | None = None
    """The adapter beside which nobody needs to remember it any more."""


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
        """Who learned it, where somebody who serves did."""
        return self.facts.retired_by or self.facts.learned_by


def stage_of(facts: Facts) -> Stage:
    """Where a correction is in its life. What was said of it last counts before what was learned from it.

    Held-out texts are never learned from: they judge, and the memory knows them for good.
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
        """The newest, without their texts' authors."""

    async def learned(self, task: str, adapter: str) -> Sequence[tuple[int, Example]]:
        """(id, example) of the corrections that this adapter learned; empty where it does not serve (any more)."""

    async def let_go(self, task: str, adapter: str, asked: Sequence[int], right: Sequence[int]) -> int:
        """Of those `asked` about, the memory votes no longer with the `right` ones, and again with the others.

        It holds as long as this adapter serves, and the very text stays known by heart. Nothing is done where it does
        not serve any more, or to a correction that changed meanwhile. Returns how many were let go of now.
        """

    async def accept(self, example: int, by: str, now: datetime) -> bool:
        """Let a correction that is held back, except for a dispute, teach from now on. False: there is none such."""
