"""Pools the opinions of several voices into one distribution, each as loud as it has proved to be. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.asking import Record
from bot.domain.scope import Scope

ADAPTER, WORDS, VECTORS, NEIGHBOURS = "adapter", "words", "vectors", "neighbours"
LEAST = 1e-6
"""The smallest probability that is believed: a voice may rule a label out, but not on behalf of the others."""

_TAUGHT = 0.02
"""The share of the examples that makes a language taught; a smaller share may all be misread texts of another."""
ABROAD = {NEIGHBOURS: 0.72, VECTORS: 0.39}
"""Weights for a text in a language that no example taught but that the encoder reads; voices that go by words do not
count. Of what was learned in English, the Spanish, French and German training splits of the msskills sets (never the
tests) were told best by nearness and vectors at .65 to .35, and best calibrated at these weights."""

_ADJUSTMENT = 1.1
"""Exponent of the logit adjustment. On CLINC's ten domains and nine banking teams 1.0 gave new teams with five examples
59 % of their messages; 1.3 gave them 72 %, and took 1.2 % of the others'."""

USUAL = {ADAPTER: 0.22, VECTORS: 0.45, NEIGHBOURS: 0.15, WORDS: 0.18}
"""Weights where there is too little to fit on: the shares of calibrated voices that came out on public data sets
(banking77, CLINC150, HWU64, real tickets: adapter .2 to .3, vectors about .5, words about .25)."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """The weight of each voice, when all have an opinion and when the adapter has none."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(USUAL))
    """Voice -> exponent of its probabilities, not negative. A voice with 0 is not asked."""
    without_adapter: Mapping[str, float] = field(default_factory=lambda: without(USUAL))
    proved: Record | None = None
    """How often the mixture was right, by how sure it was; None: not known."""
    proved_without: Record | None = None
    """The same for the mixture without the adapter."""
    scope: Scope | None = None
    """How the mixture recognises texts that no team is for; None: too few texts to tell."""

    def of(self, speaking: Collection[str], usual: Mapping[str, float] = USUAL) -> dict[str, float]:
        """The weights for these voices; a voice without one in this case gets its usual weight."""
        known = self.weights if ADAPTER in speaking else self.without_adapter
        return {voice: known.get(voice, usual.get(voice, 0.0)) for voice in speaking}


def without(weights: Mapping[str, float], voice: str = ADAPTER) -> dict[str, float]:
    """The weights of the other voices, scaled up so that their sum stays the same."""
    rest = {name: weight for name, weight in weights.items() if name != voice}
    left = sum(rest.values())
    scale = sum(weights.values()) / left if left else 0.0
    return {name: weight * scale for name, weight in rest.items()}


def untaught(language: str | None, taught: Mapping[str, float]) -> bool:
    """Whether next to none of the examples are in this language. `taught`: language -> share; empty: unknown."""
    return language is not None and bool(taught) and taught.get(language, 0.0) < _TAUGHT


def expected(row: Mapping[str, float], counts: Mapping[str, int], new: Collection[str]) -> Mapping[str, float]:
    """What a voice says, as if it had as many examples of a new label as of an average one.

    A voice learns how often a label is meant from how many examples it has; for a team that came this morning that
    number means nothing. Logit adjustment, Menon et al. 2021, "Long-tail learning via logit adjustment", for the new
    labels alone.
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

    Genest and Zidek 1986, "Combining Probability Distributions: A Critique and an Annotated Bibliography". A voice that
    has never learned a label has no opinion on it: it is taken to agree with the voices that have, and what it says
    counts for the other labels among themselves. None: no voice with a weight knows any of the names.
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
    """The pool over names that at least one voice knows; a voice that does not know one is left out of its mean."""
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
    """The row over all names: `agreed` for those it lacks, and its own proportions for the rest of the whole."""
    missing = {name: p for name, p in agreed.items() if name not in row}
    left = 1.0 - sum(missing.values())
    return {**{name: p * left for name, p in row.items()}, **missing} if missing else row
