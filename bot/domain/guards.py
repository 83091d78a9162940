"""Which corrections teach at once, and which wait for a second lead: guards against slips, haste and malice. Pure.

What is held back moves its conversation all the same; it only teaches nobody until another lead says the same. Measured
with 100 corrections of which 20 % were wrong (new / old teams, no guard): random .783 / .921, with the neighbour guard
.810 / .928, two leads agreeing .945 / .924; malicious .960 / .839, .946 / .917, .948 / .924.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.embedders import Scale

NEAREST = 7
"""So many of the nearest trusted examples and other leads' corrections are looked at."""
_LEAST_NEAR, _AGAINST = 3, 0.60
"""So many of them have to be near, and so much of their weight on one other team."""
HOUR, ACTIVE = timedelta(hours=1), timedelta(days=90)
"""The rate's window, and for how long somebody who corrected counts as a lead who could be the second."""
PRIOR_RIGHT, PRIOR_WRONG = 4.0, 1.0
_DISTRUSTED = 0.50


class Held(StrEnum):
    """Why a correction teaches nobody yet."""

    DISPUTED = "disputed"
    """Leads name different teams."""
    CONTRADICTED = "contradicted"
    """Many requests that are much like it went to one other team, on others' word."""
    NEW_TEAM = "new_team"
    """It is among the first of a team that the model never learned."""
    TOO_MANY = "too_many"
    """Its lead has taught more than usual within an hour."""
    DISTRUSTED = "distrusted"
    """Other leads overruled most of what its lead said before."""


@dataclass(frozen=True, slots=True)
class Guards:
    """How careful a task is with what leads say. The defaults hinder a workspace with one lead by its haste alone."""

    per_hour: int = 60
    """Corrections of one lead that teach within an hour; 0: any number."""
    new_team: int = 5
    """So many first corrections of a team that the model never learned need a second lead, where there is one."""
    neighbours: bool = True
    """Whether a correction that contradicts many like it needs a second lead, where there is one."""


@dataclass(frozen=True, slots=True)
class Near:
    """A trusted text near the one that was corrected, or another lead's correction."""

    label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A correction, with what is known around it."""

    label: str
    agreeing: int = 1
    """Leads who say so now."""
    disputed: bool = False
    others: bool = False
    """Another lead has corrected lately, so that there is somebody to be the second."""
    near: Sequence[Near] = ()
    taught: int = 0
    """Corrections with which its lead taught within the last hour."""
    unlearned: bool = False
    """An adapter serves, and it never learned this team."""
    of_team: int = 0
    """Corrections of the team that teach already."""
    agreed: int = 0
    """Earlier ones of this lead with which the request ended."""
    overruled: int = 0
    """Earlier ones of this lead in whose place another lead's stands."""


def held(claim: Claim, guards: Guards, scale: Scale) -> Held | None:
    """Why it waits for a second lead; None: it teaches at once."""
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
    return Held.CONTRADICTED if guards.neighbours and contradicted(claim.label, claim.near, scale) else None


def contradicted(label: str, near: Sequence[Near], scale: Scale) -> bool:
    """Whether most of what is near, weighed by its nearness, has one other label."""
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

    The prior, Beta(4, 1), takes a stranger for right four times in five; it is worth five corrections of evidence.
    """
    return (agreed + PRIOR_RIGHT) / (agreed + overruled + PRIOR_RIGHT + PRIOR_WRONG)


def weight(agreed: int, overruled: int) -> float:
    """How much a lead's correction counts in the memory beside others': 1 from a stranger on, less where overruled."""
    return min(1.0, trust(agreed, overruled) / trust(0, 0))
