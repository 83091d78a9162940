"""What is known about an embedder by its name: how to compare two of its vectors, and what its similarities mean.

Every constant that is a cosine is in this table, because every encoder has a scale of its own.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

MINILM, USE = "all-MiniLM-L6-v2", "use-multilingual-v3"
PAIR = f"{MINILM}+{USE}"
COME_ALONG = (MINILM, USE, PAIR)
"""They come from Python packages, with pinned digests."""
MINILM_WIDTH = 384
WIDTHS = {MINILM: MINILM_WIDTH, USE: 512}

Vectors: TypeAlias = npt.NDArray[np.float32]
"""One row for each text."""
Rows: TypeAlias = npt.NDArray[np.intp]
"""Indices of rows."""
TWO_PARTS = 1.2
"""A longer vector has both its parts: each has length 1, so together they have √2."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Vectors to ask with: a known vector's inner product with the form that fits it is the similarity."""

    both: Vectors
    """For vectors that have both parts."""
    last: Vectors
    """For vectors that lack the first part, and for embedders with one part."""
    first: Vectors
    """For vectors that have nothing but the first part."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near two texts are, by their vectors: the one definition, for comparisons in memory and in SQL.

    A vector is a text's embedding, or two side by side: that of an encoder that does not read every text (zeros where
    it does not), then that of one that does. Two texts that both have the first part are compared by both, the first
    counting `share`; where one lacks it, by the second alone.
    """

    own: int = 0
    """Width of the first part; 0: vectors have one part, and the similarity is their cosine."""
    share: float = 0.5
    parts: tuple[str, str] | None = None
    """The embedders that make the parts: vectors that one of them made earlier are compared with its part."""

    def forms(self, asked: Vectors) -> Forms:
        """The forms of these vectors, a row for each."""
        if not self.own:
            return Forms(asked, asked, asked)
        first, last, weighed = asked.copy(), asked.copy(), asked * np.float32(1 - self.share)
        first[:, self.own :] = 0.0
        last[:, : self.own] = 0.0
        weighed[:, : self.own] = asked[:, : self.own] * np.float32(self.share)
        full = np.linalg.norm(asked, axis=1) > TWO_PARTS
        return Forms(np.where(full[:, None], weighed, last), last, first)

    def similarities(self, asked: Vectors, known: Vectors, lacking: Rows | None = None) -> Vectors:
        """Asked × known, each at full width; `lacking`: the result of that method for `known`, if it is at hand.

        One product over all known rows, which reads each once: for a single text that reading takes all the time.
        """
        if not self.own:
            return asked @ known.T
        full = np.flatnonzero(np.linalg.norm(asked, axis=1) > TWO_PARTS)
        if not len(full):  # then every first part counts for nothing, and is not read
            return np.asarray(asked[:, self.own :] @ known[:, self.own :].T, dtype=np.float32)
        near = np.asarray(self.forms(asked).both @ known.T, dtype=np.float32)
        lacking = self.lacking(known) if lacking is None else lacking
        if len(lacking):
            near[np.ix_(full, lacking)] /= np.float32(1 - self.share)  # by the second part alone, at its full weight
        return near

    def lacking(self, known: Vectors) -> Rows:
        """The indices of known rows without a first part."""
        if not self.own:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(np.linalg.norm(known, axis=1) <= TWO_PARTS)

    def widened(self, embedder: str, vectors: Vectors) -> Vectors:
        """Vectors of this embedder, ready to compare: those of one part get zeros in place of the other."""
        if self.parts is None or embedder not in self.parts:
            return vectors
        missing = WIDTHS[self.parts[1 - self.parts.index(embedder)]]
        around = (0, missing) if embedder == self.parts[0] else (missing, 0)
        return np.pad(vectors, ((0, 0), around))


@dataclass(frozen=True, slots=True)
class Scale:
    """What an embedder's similarities mean. The defaults were measured with MiniLM, and serve unknown ones, too."""

    confidence_weight: float = 0.25
    bias: float = -0.20
    width: float = 0.06
    """g, b and t of the memory's gate (see `memory_vote`): the best measured over all teams together. Values that guard
    the old teams more are b = -0.15, t = 0.02 (.74 / .963 after 25 corrections)."""
    sharpness: float = 0.05
    """Temperature of the neighbours' weights, exp((s - s_max) / sharpness)."""
    kin: float = 0.45
    """Below it no known text is kin to a text, and neighbours alone decide nothing: about one text in twenty is lost
    (the nearest anchor's 5th, 50th, 95th percentile: MiniLM .44 / .65 / .90, USE .46 / .71 / .90 across languages)."""
    strange: float = 0.30
    """Below it a text is out of scope, however sure the model is: its confidence alone lets 44 % of such texts through
    where 98 % of its answers are right. Chosen, not fitted: so low that it catches only what is far from everything."""

    near: float = 0.55
    """Above it a text is near enough to another to speak against its label (see `guards`). Measured with MiniLM, and
    used for USE as well, whose percentiles are the same (`kin`)."""


_CROSSING = Scale(bias=-0.10, width=0.03, strange=0.35)
"""Chosen with the pair on ten of the intents that four languages share (`python -m benchmarks.encoders`), two of them
taught by 25 English corrections alone. New teams' messages right / points lost by the old ones: English 91 / 1.1,
Spanish 90 / 1.5, French 91 / 1.8, German 85 / 1.6; with MiniLM's constants Spanish 97 / 10.9, German 95 / 10.4. Where
all texts of a language are corrections, a text in it is nearer to these than to anchors in another language, so the
gate is narrower. At .35 fewer than 1 % of messages are strange, and Hindi, which USE does not read, is."""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that depends on the embedder."""

    likeness: Likeness = field(default_factory=Likeness)
    scale: Scale = field(default_factory=Scale)
    crosses: bool = False
    """Whether the same words in two languages lie near each other."""


_KNOWN = {
    MINILM: Known(),
    USE: Known(scale=_CROSSING, crosses=True),
    PAIR: Known(Likeness(MINILM_WIDTH, 0.7, (MINILM, USE)), _CROSSING, crosses=True),
}
"""The pair's share, by the five nearest: banking77 with ten a label 84.1 (MiniLM alone 84.2, even shares 82.5),
CLINC150 with ten 83.7 (82.8, 84.2), banking77 92.4 (92.4, 92.5)."""


def comparable(embedder: str) -> tuple[str, ...]:
    """The embedders whose vectors can be compared with this one's: itself, and those of its parts."""
    return (embedder, *(known_of(embedder).likeness.parts or ()))


def known_of(embedder: str) -> Known:
    """What is known about this embedder; an unknown one is taken for MiniLM. Hugging Face ids go by their last part."""
    return _KNOWN.get(embedder, _KNOWN.get(embedder.rpartition("/")[2], Known()))
