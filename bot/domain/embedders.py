"""What is known of an embedder by its name: how two of its vectors are compared, and what its similarities mean.

Every constant that is a cosine stands in this table, because every encoder has a scale of its own.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

MINILM, USE = "all-MiniLM-L6-v2", "use-multilingual-v3"
PAIR = f"{MINILM}+{USE}"
MINILM_WIDTH = 384

Vectors: TypeAlias = npt.NDArray[np.float32]
"""A row a text."""
TWO_PARTS = 1.2
"""A vector that is longer than this has both its parts: each has length 1, so together they have √2."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near two texts are, by their vectors: the one definition, for comparisons in memory and in SQL.

    A vector is a text's embedding, or two beside each other: an encoder's that does not read every text (zeros where it
    does not), then one's that does. Two texts that both have the first part are compared by both, the first counting
    `share`; where one lacks it, by the second alone.
    """

    own: int = 0
    """Width of the first part; 0: vectors have one part, and the similarity is their cosine."""
    share: float = 0.5

    def forms(self, asked: Vectors) -> tuple[Vectors, Vectors]:
        """What to multiply known vectors with: those that have both parts, and those that lack the first.

        The inner product with the right one of the two is the similarity.
        """
        if not self.own or asked.shape[1] <= self.own:
            return asked, asked
        across = asked.copy()
        across[:, : self.own] = 0.0
        weighed = asked * np.float32(1 - self.share)
        weighed[:, : self.own] = asked[:, : self.own] * np.float32(self.share)
        both = np.linalg.norm(asked, axis=1) > TWO_PARTS
        return np.where(both[:, None], weighed, across), across


@dataclass(frozen=True, slots=True)
class Scale:
    """What an embedder's similarities mean."""

    confidence_weight: float = 0.25
    """g of the memory's gate, see `memory_vote`."""
    bias: float = -0.20
    width: float = 0.06
    sharpness: float = 0.05
    """Temperature of the neighbours' weights, exp((s - s_max) / sharpness)."""
    kin: float = 0.45
    """Under it nothing that is known is kin to a text, and neighbours alone decide nothing."""
    strange: float = 0.30
    """Under it a text is out of scope, however sure the model is."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that depends on the embedder."""

    likeness: Likeness = field(default_factory=Likeness)
    scale: Scale = field(default_factory=Scale)


_KNOWN = {MINILM: Known(), USE: Known(), PAIR: Known(Likeness(own=MINILM_WIDTH, share=0.7))}


def known_of(embedder: str) -> Known:
    """What is known of this one; of a stranger, what holds for MiniLM. Hugging Face ids go by their last part."""
    return _KNOWN.get(embedder, _KNOWN.get(embedder.rpartition("/")[2], Known()))
