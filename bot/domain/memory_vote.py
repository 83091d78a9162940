"""The memory: what similar, already settled conversations say, and when to trust them more than the model.

The gate and its constants were measured with a router of eight teams to which two unseen teams were taught by
corrections alone: a handful of corrections teaches a new team, while trusted examples (anchors) protect the old ones.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NEIGHBOURS = 5
_SHARPNESS = 0.05
"""Temperature of the neighbours' weights: exp((s - s_max) / 0.05)."""
_CONFIDENCE_WEIGHT, _CONFIDENCE_PIVOT, _BIAS, _WIDTH = 0.25, 0.70, -0.20, 0.06
_KIN = 0.45
"""Similarity under which nothing we know is kin to a text, and neighbours alone decide nothing."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A settled text near the one in question. `similarity` is the cosine of their vectors."""

    example: int
    label: str
    similarity: float
    same_text: bool = False
    """Equal after normalisation (see `learning.text_key`), so that similarity need not be trusted."""
    text: str = ""
    """What it says, for the eyes of leads."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest texts, nearest first: corrected ones, and anchors (trusted: seed, imported or confirmed)."""

    corrections: tuple[Neighbour, ...] = ()
    anchors: tuple[Neighbour, ...] = ()

    @property
    def closest(self) -> float:
        """The best similarity to anything we know; -1 when we know nothing."""
        return max((n.similarity for n in self.corrections + self.anchors), default=-1.0)


@dataclass(frozen=True, slots=True)
class MemoryVote:
    """What the memory says: probabilities over the labels, how far to trust them (0..1), and on what grounds."""

    probabilities: Mapping[str, float]
    weight: float
    evidence: tuple[int, ...] = ()
    """The examples that carried the vote."""


def memory_vote(found: Neighbours, model: Mapping[str, float] | None) -> MemoryVote | None:
    """What the memory adds to the model's probabilities; without a model (None) what it says alone.

    None: the memory has nothing to say. An exact, corrected text decides by itself.
    """
    exact = next((n for n in found.corrections if n.same_text), None)
    if exact is not None:
        return MemoryVote({exact.label: 1.0}, 1.0, (exact.example,))
    if model is None:
        return _alone(found)
    if not found.corrections:
        return None
    return MemoryVote(_vote(found.corrections), _trust(found, model), _examples(found.corrections))


def _alone(found: Neighbours) -> MemoryVote | None:
    everything = sorted(found.corrections + found.anchors, key=lambda n: -n.similarity)[:NEIGHBOURS]
    if not everything or everything[0].similarity < _KIN:
        return None
    return MemoryVote(_vote(everything), 1.0, _examples(everything))


def _trust(found: Neighbours, model: Mapping[str, float]) -> float:
    corrected = found.corrections[0].similarity
    anchored = found.anchors[0].similarity if found.anchors else 0.0
    sureness = _CONFIDENCE_WEIGHT * (max(model.values()) - _CONFIDENCE_PIVOT)
    return 1 / (1 + math.exp(-(corrected - anchored - sureness - _BIAS) / _WIDTH))


def _vote(neighbours: Sequence[Neighbour]) -> dict[str, float]:
    """Probabilities from the k nearest, each weighing exp((s - s_max) / 0.05)."""
    best = neighbours[0].similarity
    weights = [math.exp((n.similarity - best) / _SHARPNESS) for n in neighbours[:NEIGHBOURS]]
    total = sum(weights)
    votes: dict[str, float] = {}
    for neighbour, weight in zip(neighbours, weights, strict=False):
        votes[neighbour.label] = votes.get(neighbour.label, 0.0) + weight / total
    return votes


def _examples(neighbours: Sequence[Neighbour]) -> tuple[int, ...]:
    return tuple(n.example for n in neighbours[:NEIGHBOURS])
