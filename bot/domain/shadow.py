"""A candidate that the gate refused is asked about incoming requests; it answers nobody, and is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.learning import Adapter


@dataclass(frozen=True, slots=True)
class Unheard:
    """A conversation that the champion decided unasked, and that the shadow was not asked about yet."""

    conversation: int
    text: str


@dataclass(frozen=True, slots=True)
class ShadowFigures:
    """What would have been different."""

    adapter: str
    heard: int
    """Conversations that it was asked about."""
    differently: int
    """Of these, those that it would have routed elsewhere."""
    agreed: int
    """Of these, those that a lead moved to where it would have routed them."""


class Shadows(Protocol):
    """The candidate in the shadow, and what it would have decided."""

    async def shadow(self, task: str, base: str) -> Adapter | None:
        """The adapter of the newest cycle if the gate refused it, nothing was promoted since, and no lead set it aside;
        None: there is none."""

    async def unheard(self, shadow: Adapter, limit: int) -> list[Unheard]:
        """What was decided since it was made, the newest first: so it keeps up even if it cannot catch up."""

    async def heard(self, shadow: Adapter, labels: Mapping[int, str], now: datetime) -> None:
        """Store what it would have decided, by conversation. Idempotent."""

    async def shadow_figures(self, task: str) -> Sequence[ShadowFigures]:
        """The figures of every adapter that was ever in the shadow, the newest first."""
