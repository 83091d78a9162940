"""How each kind of base model is trained: only the figures, so that they can be read without loading torch."""

import math
from dataclasses import dataclass

from inference.training_rows import BATCH

CHECKPOINTS = 8  # validations in a run


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train on a kind of base model."""

    rate: float
    rank: int
    token_dropout: float
    """Share of a message's tokens left out, drawn anew each time."""
    smoothing: float
    decay: float
    """AdamW's weight decay."""
    pace: float
    least_steps: int
    """A small set needs this many steps, too, however few batches it has."""
    preference: float = 0.0
    """Weight of the loss that prefers the right label to the one predicted instead; 0: not used."""

    def steps(self, examples: int) -> int:
        """Number of steps; grows with the root of the examples: a larger set needs more steps but fewer epochs."""
        return max(self.least_steps, round(self.pace * math.sqrt(examples / BATCH)))


STARTER = Recipe(rate=2e-3, rank=16, token_dropout=0.1, smoothing=0.1, decay=0.01, pace=40, least_steps=120)
PRETRAINED = Recipe(rate=2e-4, rank=16, token_dropout=0.0, smoothing=0.0, decay=0.01, pace=25, least_steps=100)
