"""Several voices, one distribution: each as loud as it has proved to be. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.asking import Record
from bot.domain.scope import Scope

ADAPTER, WORDS, VECTORS, NEIGHBOURS = "adapter", "words", "vectors", "neighbours"
LEAST = 1e-6
"""The smallest probability that is believed: a voice may rule a label out, but not for all the others."""

_TAUGHT = 0.02
"""The share of the examples from which on a language is taught: of fewer, all may be another's that was misread."""
ABROAD = {NEIGHBOURS: 0.72, VECTORS: 0.39}
"""Weights for a text in a language that nobody taught, where the encoder reads it: who goes by words is not heard. Of
what was learned in English, the Spanish, French and German training splits of the msskills sets (never the tests) were
told best by nearness and vectors at .65 to .35, and were least off in how sure they are at these weights."""

_ADJUSTMENT = 1.1
"""Exponent of the logit adjustment. On CLINC's ten domains and nine banking teams 1.0 gave new teams with five examples
59 % of their messages; 1.3 gave them 72 %, and took 1.2 % of the others'."""

USUAL = {ADAPTER: 0.22, VECTORS: 0.45, NEIGHBOURS: 0.15, WORDS: 0.18}
"""Weights where there is too little to fit on: shares of calibrated voices, as they came out on other people's sets
(banking77, CLINC150, HWU64, real tickets: adapter .2 to .3, vectors about .5, words about .25)."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How loud each voice is, when all speak and when the adapter is silent."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(USUAL))
    """Voice -> exponent of its probabilities, not negative. A voice with 0 is not asked."""
    without_adapter: Mapping[str, float] = field(default_factory=lambda: without(USUAL))
    proved: Record | None = None
    """How often all together were right, by how sure they were; None: nobody counted."""
    proved_without: Record | None = None
    """The same where the adapter is silent."""
    scope: Scope | None = None
    """What texts of one's own look like to all together; None: there were too few."""

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


def untaught(language: str | None, taught: Mapping[str, float]) -> bool:
    """Whether a text is in a language of next to none of the examples. `taught`: language -> share; empty: unknown."""
    return language is not None and bool(taught) and taught.get(language, 0.0) < _TAUGHT


def expected(row: Mapping[str, float], counts: Mapping[str, int], new: Collection[str]) -> Mapping[str, float]:
    """What a voice says, as if it had as many examples of a new label as of an average one.

    A voice learns from how many examples a label has how often it is meant; of a team that came this morning that is
    no news. Logit adjustment, Menon et al. 2021, "Long-tail learning via logit adjustment", for the new labels alone.
    """
    known = [count for name, count in counts.items() if name not in new]
    usual = sum(known) / len(known) if known else 0.0
    likely = {
        name: p * (max(usual / max(counts.get(name, 0), 1), 1.0) ** _ADJUSTMENT if name in new else 1.0)
        for name, p in row.items()
    }
    whole = sum(likely.values())
    return {name: p / whole for name, p in likely.items()} if whole > 0 else row


def pooled(
    said: Mapping[str, Mapping[str, float]], weights: Mapping[str, float], names: Sequence[str]
) -> dict[str, float] | None:
    """One distribution over the names: the weighted geometric mean of what the voices say (a logarithmic opinion pool).

    Genest and Zidek 1986, "Combining Probability Distributions: A Critique and an Annotated Bibliography". Of a label
    that some voice has never learned that voice has no opinion: it is taken to agree with those who know it, and what
    it says counts for the others among themselves. None: nobody who counts knows any of the names.
    """
    loud = {voice: row for voice, row in said.items() if weights.get(voice, 0.0) > 0}
    known = [name for name in names if any(name in row for row in loud.values())]
    if not known:
        return None
    knowing = {voice: row for voice, row in loud.items() if all(name in row for name in known)}
    agreed = _pool(knowing or loud, weights, known)
    mixed = _pool({voice: _filled(row, agreed) for voice, row in loud.items()}, weights, known)
    return {name: mixed.get(name, 0.0) for name in names}


def _pool(
    said: Mapping[str, Mapping[str, float]], weights: Mapping[str, float], names: Sequence[str]
) -> dict[str, float]:
    """The pool over names that somebody knows each; who does not know one is left out of its mean."""
    total = sum(weights[voice] for voice in said)
    scores: dict[str, float] = {}
    for name in names:
        known = [(weights[voice], row[name]) for voice, row in said.items() if name in row]
        heard = sum(weight for weight, _ in known)
        scores[name] = sum(weight * math.log(max(p, LEAST)) for weight, p in known) * total / heard
    top = max(scores.values())
    likely = {name: math.exp(score - top) for name, score in scores.items()}
    whole = sum(likely.values())
    return {name: p / whole for name, p in likely.items()}


def _filled(row: Mapping[str, float], agreed: Mapping[str, float]) -> Mapping[str, float]:
    """The row over all names: what is missing in it as agreed, its own words for what is left of the whole."""
    missing = {name: p for name, p in agreed.items() if name not in row}
    left = 1.0 - sum(missing.values())
    return {**{name: p * left for name, p in row.items()}, **missing} if missing else row
