"""Whether a text is about anything that the teams do: by how torn the voices are *and* how far it is from known texts.

Either alone lets more pass: a model is also torn over what lies between two of its teams, and sure of what lies
nowhere. So both are ranked among the texts that steer, and the sum of the two ranks decides.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 100
"""The fewest texts that show anything about the farthest of a hundred."""
_KEPT = 0.98
"""Share of the steering texts that is in scope: of a hundred people with a real request two are asked in vain.

Measured on 50 of CLINC150's intents (40 examples each; 1,500 in scope, 1,000 out; words and USE vectors, no adapter),
fitted on 400 texts: 86 % of what is out of scope is asked about, and 3.0 % of what is in (before: 62 %, 2.2 %); of the
other 100 intents' messages 61 % (41 %). AUROC and FPR at 95 %: entropy 97.9 and 13.8, distance 96.9 and 15.6, the sum
of the ranks 98.6 and 6.1. Fitted on 100 texts it catches 65 %.
"""
_QUANTILES = 51
_LEAST_REACH = 0.1
"""The least reach of the distances: texts that are all alike show little about how far others may be."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the task's own texts look like."""

    entropies: tuple[float, ...]
    """Quantiles of the entropy of what the voices say about them, as a share of the greatest possible; ascending."""
    distances: tuple[float, ...]
    """Quantiles of 1 - the similarity of the nearest known text; ascending."""
    farthest: float
    """The sum of both ranks (0 to 2) beyond which a text is out of scope."""

    def holds(self, probabilities: Mapping[str, float], familiarity: float) -> bool:
        """Whether a text with this distribution, and a nearest known text so similar, is in scope."""
        return self._ranks(entropy(probabilities.values()), 1 - familiarity) <= self.farthest

    def _ranks(self, torn: float, distance: float) -> float:
        return _rank(self.entropies, torn) + _rank(self.distances, distance)

    @classmethod
    def read(cls, stored: Mapping[str, Sequence[float] | float] | None) -> "Scope | None":
        """The inverse of `stored`; None where nothing was stored."""
        if stored is None:
            return None
        entropies, distances = np.atleast_1d(stored["entropies"]), np.atleast_1d(stored["distances"])
        return cls(tuple(entropies.tolist()), tuple(distances.tolist()), float(np.asarray(stored["farthest"])))

    def stored(self) -> dict[str, list[float] | float]:
        return {
            "entropies": [round(one, 5) for one in self.entropies],
            "distances": [round(one, 5) for one in self.distances],
            "farthest": round(self.farthest, 5),
        }


def scope(said: Sequence[Mapping[str, float]], familiarities: Sequence[float]) -> Scope | None:
    """The scope fitted on what was said of texts that no voice had learned from; None: there are too few."""
    if len(said) < LEAST:
        return None
    torn, distances = [entropy(one.values()) for one in said], [1 - one for one in familiarities]
    known = Scope(_quantiles(torn), _quantiles(distances), 2.0)
    sums = [known._ranks(*pair) for pair in zip(torn, distances, strict=True)]
    return Scope(known.entropies, known.distances, float(np.quantile(sums, _KEPT)))


def entropy(probabilities: Collection[float]) -> float:
    """The entropy, as a share of the greatest that so many labels allow: 0 for certainty, 1 for no idea."""
    most = math.log(len(probabilities)) if len(probabilities) > 1 else 1.0
    return -sum(p * math.log(p) for p in probabilities if p > 0) / most


def _quantiles(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(np.quantile(values, np.linspace(0, 1, _QUANTILES)).tolist())


def _rank(quantiles: Sequence[float], value: float) -> float:
    """The share of the texts that lie below; beyond the last it grows on to 2, at a distance of their whole reach."""
    if value > quantiles[-1]:
        return 1 + min((value - quantiles[-1]) / max(quantiles[-1] - quantiles[0], _LEAST_REACH), 1.0)
    return float(np.interp(value, quantiles, np.linspace(0, 1, len(quantiles))))
