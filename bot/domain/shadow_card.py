"""The leads' card about a candidate in the shadow: when it is posted, what its buttons do, and who may press them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.learning import Cycle
from bot.domain.messages import Person, Place, Press
from bot.domain.posts import Notice, Post, What
from bot.domain.report_posts import ShadowCard, ShadowExplanation
from bot.domain.shadow import ShadowFigures
from bot.domain.tasks import Label, Task

PROMOTE, KEEP, EXPLAIN = "promote", "keep", "explain"
"""The values of its buttons."""
ENOUGH = 5
"""Requests that it would have routed differently before leads get a card: fewer could prove nothing, even if leads
agreed with it on each (sign test: five of five, p = .03)."""


class Fate(StrEnum):
    """How a candidate's time in the shadow ended."""

    PROMOTED = "promoted"
    KEPT = "kept"
    """What serves stays, and the candidate is no longer asked."""
    SUPERSEDED = "superseded"
    """Another candidate was judged, or another adapter promoted, since: nothing is left to decide."""
    FORGOTTEN = "forgotten"
    """It may have learned from somebody who was forgotten since: nothing is left to decide."""


class Ruling(StrEnum):
    """What a press means, as it is recorded."""

    PROMOTE = PROMOTE
    KEEP = KEEP
    EXPLAIN = EXPLAIN
    REFUSED = "refused"
    """Pressed by somebody who may not."""
    NOTHING = "nothing"
    """There is no such button, or nothing is left to decide."""


@dataclass(frozen=True, slots=True)
class StandingShadowCard:
    """Such a card in its newest wording."""

    post: int
    place: Place
    card: ShadowCard


@dataclass(frozen=True, slots=True)
class ShadowPress:
    """A pressed button of such a card."""

    id: int
    press: Press
    on: StandingShadowCard
    cards: tuple[StandingShadowCard, ...]
    """The candidate's cards in all rooms, this one included."""
    in_shadow: bool
    """Whether the candidate is still the one in the shadow, and fits the base model that is served."""


class ShadowCards(Protocol):
    """The cards that show leads a candidate in the shadow, and the presses on them."""

    async def standing(self, task: str) -> Sequence[StandingShadowCard]:
        """The cards on which nobody has decided yet."""

    async def tell(self, task: str, adapter: str, posts: Sequence[Post], now: datetime) -> bool:
        """Owe a candidate's first cards. False: it has some, or was decided on; nothing changed."""

    async def renew(self, task: str, posts: Sequence[Post], now: datetime) -> None:
        """Rewrite cards, except those on which somebody has decided meanwhile."""

    async def claim_presses(self, now: datetime, limit: int) -> Sequence[ShadowPress]:
        """Claim presses on such cards that nobody has looked at yet, oldest first."""

    async def conclude(self, pressed: ShadowPress, ruling: Ruling, posts: Sequence[Post], now: datetime) -> bool:
        """Record the press, do what it asks for, and owe the posts, in one transaction. Idempotent.

        False: the candidate is no longer in the shadow, or somebody has decided; the press can be claimed again. Raises
        UsageError when the adapter may not serve.
        """


def leads_of_the_model(task: Task) -> Label:
    """A team whose leads may decide which model serves: only leads of all teams, as for `rollback`."""
    return replace(task.label(task.fallback), leads={})


def first_cards(task: Task, figures: ShadowFigures) -> list[Post]:
    """A card in each of the leads' rooms, once there is enough to report."""
    if figures.differently < ENOUGH:
        return []
    card = ShadowCard(task.name, figures.adapter, figures.heard, figures.differently, figures.agreed)
    return [Post(room, card) for room in task.leads_rooms]


def renewed(standing: Sequence[StandingShadowCard], figures: ShadowFigures) -> list[Post]:
    """The cards with the present figures, where leads would see a difference: the same posts are rewritten."""
    return [
        _rewritten(one, replace(one.card, heard=figures.heard, differently=now[0], agreed=now[1]))
        for one in standing
        if (now := (figures.differently, figures.agreed)) != (one.card.differently, one.card.agreed)
    ]


def decided(cards: Sequence[StandingShadowCard], fate: Fate, by: str = "") -> list[Post]:
    """Every card of the candidate with what was decided and by whom, without buttons."""
    return [_rewritten(one, replace(one.card, decided=fate.value, by=by)) for one in cards]


def explained(pressed: ShadowPress, cycle: Cycle | None) -> list[Post]:
    """The explanation under the card: why the gate did not let it serve. `ShadowCards.conclude` says it once."""
    verdict = cycle.verdict if cycle else None
    if verdict is None:
        return []
    told = ShadowExplanation(
        adapter=pressed.on.card.adapter,
        messages=int(verdict.figures.get("n", 0)),
        right=verdict.figures.get("candidate_accuracy", 0.0),
        right_before=verdict.figures.get("champion_accuracy", 0.0),
        reasons=verdict.reasons,
    )
    return [Post(pressed.on.place, told, under=pressed.on.post)]


def refused(room: Place, person: Person) -> Post:
    """The answer to somebody who may not decide, shown to nobody else."""
    return Post(room, Notice(What.NO_MODEL_LEAD), only_for=person)


def _rewritten(standing: StandingShadowCard, card: ShadowCard) -> Post:
    return Post(standing.place, card, edits=standing.post)
