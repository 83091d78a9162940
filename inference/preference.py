"""Preference learning over labels: the right label is to win against the one predicted instead.

The odds-ratio loss of ORPO (Hong, Lee, Thorne 2024, "ORPO: Monolithic Preference Optimization without Reference
Model"), added to the cross-entropy. It needs no second model to compare with. An answer is one token among the codes of
the task, so the rejected answer need not be drawn or stored: it is the likeliest wrong label at this very step.
"""

import torch
from torch.nn.functional import logsigmoid


def odds_ratio_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """The mean over the rows, in nats; `logits` are (rows, labels), `truth` the right label of each row."""
    right = torch.zeros_like(logits, dtype=torch.bool).scatter(1, truth[:, None], True)
    rejected = logits.masked_fill(right, -torch.inf).argmax(1)
    ratio = _log_odds(logits, truth) - _log_odds(logits, rejected)
    return -logsigmoid(ratio).mean()


def _log_odds(logits: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    """log(p / (1 - p)) of that label: its logit against all others together, which stays exact for p near 1."""
    chosen = torch.zeros_like(logits, dtype=torch.bool).scatter(1, of[:, None], True)
    return logits.gather(1, of[:, None])[:, 0] - logits.masked_fill(chosen, -torch.inf).logsumexp(1)
