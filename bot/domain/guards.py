"""Which corrections are learned at once and which wait for a second lead: guards against slips, haste and malice. Pure.

A correction that is held back moves its conversation all the same; only learning waits until another lead agrees.
Measured with 100 corrections of which 20 % were wrong (new / old teams, no guard): random .783 / .921, with the
neighbour guard .810 / .928, two leads agreeing .945 / .924; malicious .960 / .839, .946 / .917, .948 / .924.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.embedders import Scale

NEAREST = 7
"""How many of the nearest trusted examples and other leads' corrections are examined."""
_LEAST_NEAR, _AGAINST = 3, 0.60
"""How many of them must be near, and how much of their weight must be on one other team."""
HOUR, ACTIVE = timedelta(hours=1), timedelta(days=90)
"""The window for the rate; and how long a lead who made a correction counts as one who could be the second."""
PRIOR_RIGHT, PRIOR_WRONG = 4.0, 1.0
_DISTRUSTED = 0.50


class Held(StrEnum):
    """Why a correction is not learned yet."""

    DISPUTED = "disputed"
    """Leads name different teams."""
    CONTRADICTED = "contradicted"
    """Many similar requests went to one other team, on other people's word."""
    NEW_TEAM = "new_team"
    """It is among the first of a team that the model has not learned, and that has few examples."""
    TOO_MANY = "too_many"
    """Its lead made more corrections than usual within an hour."""
    DISTRUSTED = "distrusted"
    """Other leads overruled most of the earlier corrections of its lead."""


@dataclass(frozen=True, slots=True)
class Guards:
    """How careful a task is with what leads say. By default only haste can hold back a workspace's only lead."""

    per_hour: int = 60
    """How many corrections of one lead are learned within an hour; 0: any number."""
    new_team: int = 5
    """So many first corrections of a team that the model has not learned, and that has few examples, need a second
    lead, where there is one."""
    neighbours: bool = True
    """Whether a correction that contradicts many similar texts needs a second lead, where there is one."""


@dataclass(frozen=True, slots=True)
class Near:
    """A trusted text, or another lead's correction, near the text that was corrected."""

    label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A correction, with what is known around it."""

    label: str
    agreeing: int = 1
    """How many leads say so now."""
    disputed: bool = False
    others: bool = False
    """Whether another lead has made corrections lately, and so could be the second."""
    near: Sequence[Near] = ()
    taught: int = 0
    """The corrections of its lead within the last hour that were learned."""
    unlearned: bool = False
    """Whether an adapter serves that has not learned this team, and there are few examples of it."""
    of_team: int = 0
    """The corrections to this team that are learned already."""
    agreed: int = 0
    """Earlier corrections of this lead that the request ended with."""
    overruled: int = 0
    """Earlier corrections of this lead that another lead's has replaced."""


def held(claim: Claim, guards: Guards, scale: Scale) -> Held | None:
    """Why it waits for a second lead; None: it is learned at once."""
    if claim.disputed:
        return Held.DISPUTED
    if claim.agreeing > 1:
        return None
    if 0 < guards.per_hour <= claim.taught:
        return Held.TOO_MANY
    if not claim.others:
        return None
    if trust(claim.agreed, claim.overruled) < _DISTRUSTED:
        return Held.DISTRUSTED
    if claim.unlearned and claim.of_team < guards.new_team:
        return Held.NEW_TEAM
    return Held.CONTRADICTED if held_by_neighbours(claim, guards, scale) else None


def held_by_neighbours(claim: Claim, guards: Guards, scale: Scale) -> bool:
    """Whether what lies near it alone makes it wait: for a correction whose vector came after the other guards."""
    alone = claim.others and claim.agreeing == 1 and not claim.disputed
    return alone and guards.neighbours and contradicted(claim.label, claim.near, scale)


def contradicted(label: str, near: Sequence[Near], scale: Scale) -> bool:
    """Whether most of the near texts, weighed by their nearness, have one other label."""
    close = sorted((one for one in near if one.similarity > scale.near), key=lambda one: -one.similarity)[:NEAREST]
    if len(close) < _LEAST_NEAR:
        return False
    weights: dict[str, float] = {}
    for one in close:
        weights[one.label] = weights.get(one.label, 0.0) + one.similarity
    against = max((weight for name, weight in weights.items() if name != label), default=0.0)
    return against >= _AGAINST * sum(weights.values())


def trust(agreed: int, overruled: int) -> float:
    """How likely a lead's next correction is right: the posterior mean of a Beta-Bernoulli model.

    The prior, Beta(4, 1), expects four in five of a new lead's to be right, and is worth five corrections of evidence.
    """
    return (agreed + PRIOR_RIGHT) / (agreed + overruled + PRIOR_RIGHT + PRIOR_WRONG)


def weight(agreed: int, overruled: int) -> float:
    """How much a lead's correction counts in the memory: 1 for a new lead, less for one who was overruled."""
    return min(1.0, trust(agreed, overruled) / trust(0, 0))
