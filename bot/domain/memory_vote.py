"""The memory: what similar, already settled conversations say, and when to trust them more than the model.

The form (a gate on the margin between the nearest correction and the nearest anchor) and its constants were measured
with MiniLM and a router of 8 teams to which two unseen teams were taught by corrections alone. Accuracy of new / old
teams after 10 corrections: .63 / .962, after 25: .81 / .956 (none: .000 / .968); after 25 without anchors: .60 / .927.
The gate is w = sigmoid((s_correction - s_anchor - g * (p_max - 0.70) - b) / t). Its constants, and every other that is
a cosine, belong to the embedder: see `embedders.Scale`.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from bot.domain.decisions import Author, Basis, Evidence, Opinion
from bot.domain.embedders import Scale

NEIGHBOURS = 5
"""k of the measured gate; its other constants are the embedder's (`embedders.Scale`)."""
_USUAL = Scale()


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A settled text near the one in question; `similarity` is by `embedders.Likeness`."""

    example: int
    label: str
    similarity: float
    same_text: bool = False
    """Whether the two texts are equal after normalisation (`learning.text_key`), so that similarity does not matter."""
    text: str = ""
    """The text itself, for leads to read."""
    basis: Basis = Basis.CORRECTION
    weight: float = 1.0
    """How much it counts beside others: less if its lead was often overruled."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest texts, nearest first: corrected ones, and anchors (trusted: seed, imported or confirmed)."""

    corrections: tuple[Neighbour, ...] = ()
    anchors: tuple[Neighbour, ...] = ()
    unsettled: tuple[str, ...] = ()
    """Labels that leads gave the very text since anything was settled about it, and that wait for a second lead."""

    @property
    def closest(self) -> float:
        """The best similarity to any known text; -1 when there is none."""
        return max((n.similarity for n in self.corrections + self.anchors), default=-1.0)


def memory_opinion(
    found: Neighbours, scale: Scale = _USUAL, new: Collection[str] = (), taught: Collection[str] = ()
) -> Opinion:
    """The memory's opinion, given the texts that it finds near. An exact, corrected text decides by itself.

    So does an exact anchor of a `new` label, one that the adapter has not learned. `taught` are the labels that other
    voices know: their corrections need no head start, which would let each speak for texts far away from it.

    Beside other voices only corrections vote; anchors show how far from home a correction is. Where no other voice has
    an opinion, both vote. A correction of the exact text that waits for a second lead has no vote, but is named
    (`Opinion.unsettled`).
    """
    known = found.closest if found.anchors else None
    settled = (*found.corrections, *(n for n in found.anchors if n.label in new))
    exact = next((n for n in settled if n.same_text), None)
    if exact is not None:
        alone = Opinion(Author.MEMORY, {exact.label: 1.0}, math.inf, evidence=_evidence([exact]), familiarity=known)
        return replace(alone, unsettled=found.unsettled)
    silent = Opinion(
        Author.MEMORY,
        {},
        familiarity=known,
        strange_below=scale.strange,
        alone=_alone(found, scale),
        unsettled=found.unsettled,
    )
    if not found.corrections:
        return silent
    return replace(
        silent,
        probabilities=_vote(found.corrections, scale),
        weight=_odds(found, scale, 0.0 if found.corrections[0].label in taught else scale.bias),
        yields=scale.confidence_weight / scale.width,
        evidence=_evidence(found.corrections),
    )


def _alone(found: Neighbours, scale: Scale) -> Opinion:
    everything = sorted(found.corrections + found.anchors, key=lambda n: -n.similarity)[:NEIGHBOURS]
    if not everything or everything[0].similarity < scale.kin:
        return Opinion(Author.MEMORY, {})
    return Opinion(Author.MEMORY, _vote(everything, scale), evidence=_evidence(everything))


def _odds(found: Neighbours, scale: Scale, bias: float) -> float:
    """How many times as much as a model of the usual sureness the corrections count: the gate's sigmoid as odds."""
    corrected = found.corrections[0].similarity
    anchored = found.anchors[0].similarity if found.anchors else 0.0
    return found.corrections[0].weight * math.exp((corrected - anchored - bias) / scale.width)


def _vote(neighbours: Sequence[Neighbour], scale: Scale) -> dict[str, float]:
    """Probabilities from the k nearest, each weighing exp((s - s_max) / sharpness)."""
    best = neighbours[0].similarity
    weights = [n.weight * math.exp((n.similarity - best) / scale.sharpness) for n in neighbours[:NEIGHBOURS]]
    total = sum(weights)
    votes: dict[str, float] = {}
    for neighbour, weight in zip(neighbours, weights, strict=False):
        votes[neighbour.label] = votes.get(neighbour.label, 0.0) + weight / total
    return votes


def _evidence(neighbours: Sequence[Neighbour]) -> tuple[Evidence, ...]:
    return tuple(Evidence(n.example, n.label, n.text, n.basis) for n in neighbours[:NEIGHBOURS])
