"""Several voices, one distribution: each as loud as it has proved to be. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

ADAPTER, WORDS, VECTORS, NEIGHBOURS = "adapter", "words", "vectors", "neighbours"
LEAST = 1e-6
"""The smallest probability that is believed: a voice may rule a label out, but not for all the others."""

USUAL = {ADAPTER: 0.22, VECTORS: 0.45, NEIGHBOURS: 0.15, WORDS: 0.18}
"""Weights where there is too little to fit on: shares of calibrated voices, as they came out on other people's sets
(banking77, CLINC150, HWU64, real tickets: adapter .2 to .3, vectors about .5, words about .25)."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How loud each voice is, when all speak and when the adapter is silent."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(USUAL))
    """Voice -> exponent of its probabilities, not negative. A voice with 0 is not asked."""
    without_adapter: Mapping[str, float] = field(default_factory=lambda: without(USUAL))

    def of(self, speaking: Collection[str], usual: Mapping[str, float] = USUAL) -> dict[str, float]:
        """The weights for these voices; of a voice that this case does not know the usual one."""
        known = self.weights if ADAPTER in speaking else self.without_adapter
        return {voice: known.get(voice, usual.get(voice, 0.0)) for voice in speaking}


def without(weights: Mapping[str, float], voice: str = ADAPTER) -> dict[str, float]:
    """The weights of the others, scaled up to what all had together."""
    rest = {name: weight for name, weight in weights.items() if name != voice}
    left = sum(rest.values())
    scale = sum(weights.values()) / left if left else 0.0
    return {name: weight * scale for name, weight in rest.items()}


def pooled(
    said: Mapping[str, Mapping[str, float]], weights: Mapping[str, float], names: Sequence[str]
) -> dict[str, float] | None:
    """One distribution over the names: the weighted geometric mean of what the voices say (a logarithmic opinion pool).

    Genest and Zidek 1986, "Combining Probability Distributions: A Critique and an Annotated Bibliography". A label that
    some voice has never learned is judged by the voices that know it, as if the others agreed with these. None: nobody
    who counts knows any of the names.
    """
    total = sum(weights.get(voice, 0.0) for voice in said)
    scores: dict[str, float] = {}
    for name in names:
        known = [(voice, row[name]) for voice, row in said.items() if name in row and weights.get(voice, 0.0) > 0]
        heard = sum(weights[voice] for voice, _ in known)
        if heard > 0:
            scores[name] = sum(weights[v] * math.log(max(p, LEAST)) for v, p in known) * total / heard
    if not scores:
        return None
    top = max(scores.values())
    likely = {name: math.exp(score - top) for name, score in scores.items()}
    whole = sum(likely.values())
    return {name: likely.get(name, 0.0) / whole for name in names}
