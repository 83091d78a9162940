"""Two systems on the same messages: tests for which is better or no worse, and how many messages these need."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from bot.domain.learning import Score

_BETS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.95)
"""Shares of what may be staked on "no worse": a mixture, so that none of them has to be right."""
_POWER = 0.8
USUAL_DISCORDANCE = 0.035
"""The share of messages on which two models were seen to differ; to count needed messages before more is known."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Champion and candidate on the same examples: how often only one of them was right."""

    n: int
    gained: int
    lost: int

    @property
    def p_value(self) -> float:
        """Exact one-sided McNemar: chance of at least `gained` of the discordant pairs if both were equally good.

        McNemar 1947, "Note on the sampling error of the difference between correlated proportions".
        """
        return at_least(self.gained, self.gained + self.lost, 0.5)

    def no_worse_p_value(self, margin: float) -> float:
        """Chance of at most so few net losses if the candidate is worse by `margin` or more (a share of all).

        By betting against that: each message multiplies a stake by 1 + b (margin - loss), where loss is 1, 0 or -1, and
        if the candidate is that much worse, no stake grows on average; 1 / stake is then a p-value at any sample size
        (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", fixed bets, mixed).
        The normal bounds are not valid at any size: with no discordant pairs at all they take 50 messages for proof.
        """
        same = self.n - self.gained - self.lost
        stakes = [bet / (1 - margin) for bet in _BETS]
        logs = [
            same * math.log1p(b * margin)
            + self.gained * math.log1p(b * (margin + 1))
            + self.lost * math.log1p(b * (margin - 1))
            for b in stakes
        ]
        top = max(logs)
        grown = top + math.log(sum(math.exp(one - top) for one in logs) / len(logs))
        return math.exp(-max(grown, 0.0))

    def usually_no_worse_p_value(self, margin: float) -> float:
        """The same by the score test, which needs far fewer messages but keeps its error only approximately.

        Tango 1998, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
        design": the net loss, divided by its deviation where the candidate is worse by exactly the margin.
        """
        differ, net = self.gained + self.lost, self.lost - self.gained
        b = differ - margin * (2 * self.n - net)
        mended = (b + math.sqrt(b * b + 8 * self.n * self.gained * margin * (1 - margin))) / (4 * self.n)
        deviation = math.sqrt(self.n * (2 * mended + margin * (1 - margin)))
        return NormalDist().cdf((net - self.n * margin) / deviation)

    def worst_net_loss(self, alpha: float) -> float:
        """The smallest margin that `no_worse_p_value` rules out at this error: the most that it could lose overall."""
        return _least_ruled_out(self.no_worse_p_value, alpha)

    def usually_worst_net_loss(self, alpha: float) -> float:
        """The same by `usually_no_worse_p_value`."""
        return _least_ruled_out(self.usually_no_worse_p_value, alpha)


def _least_ruled_out(p_value: Callable[[float], float], alpha: float) -> float:
    """The smallest margin with a p-value of at most alpha; 1: there is none."""
    lowest, highest = 1e-6, 0.99
    if p_value(highest) > alpha:
        return 1.0
    if p_value(lowest) <= alpha:
        return 0.0
    from scipy.optimize import brentq  # a quarter of what a command that judges nothing would load

    return float(brentq(lambda margin: p_value(margin) - alpha, lowest, highest, xtol=1e-4))  # type: ignore[no-untyped-call]


def at_least(hits: int, of: int, chance: float) -> float:
    """The probability of `hits` or more out of `of`, each with this chance: the exact binomial tail."""
    from scipy.special import betainc  # as above

    return float(betainc(hits, of - hits + 1, chance)) if hits > 0 else 1.0


def paired(champion: Sequence[Score], candidate: Sequence[Score]) -> Paired:
    """Compare two systems on the same examples, in the same order. Raises ValueError when they differ."""
    pairs = list(zip(champion, candidate, strict=True))
    if any(old.text_key != new.text_key for old, new in pairs):
        raise ValueError("champion and candidate were scored on different examples")
    gained = sum(new.right and not old.right for old, new in pairs)
    lost = sum(old.right and not new.right for old, new in pairs)
    return Paired(len(pairs), gained, lost)


def needed(gain: float, discordance: float, alpha: float) -> int:
    """The number of messages that proves a gain of that size at this error in four of five cases.

    Connor 1987, "Sample size for testing differences in proportions for the paired-sample design".
    """
    discordance = max(discordance, gain)
    error, power = NormalDist().inv_cdf(1 - alpha), NormalDist().inv_cdf(_POWER)
    root = error * math.sqrt(discordance) + power * math.sqrt(discordance - gain**2)
    return math.ceil((root / gain) ** 2)
