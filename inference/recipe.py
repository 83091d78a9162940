"""How a kind of base model is trained: the figures alone, so that they can be asked for without loading torch."""

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
    """Share of a message's tokens left out, anew each time."""
    smoothing: float
    decay: float
    """AdamW's weight decay."""
    pace: float
    least_steps: int
    """A small set needs its steps too, however few a batch they would be."""
    preference: float = 0.0
    """Weight of the loss by which the right label is preferred to the one predicted instead; 0: there is none."""

    def steps(self, examples: int) -> int:
        """Grow with the root of the examples: a larger set needs more steps but fewer epochs."""
        return max(self.least_steps, round(self.pace * math.sqrt(examples / BATCH)))


STARTER = Recipe(rate=2e-3, rank=16, token_dropout=0.1, smoothing=0.1, decay=0.01, pace=40, least_steps=120)
PRETRAINED = Recipe(rate=2e-4, rank=16, token_dropout=0.0, smoothing=0.0, decay=0.01, pace=25, least_steps=100)
