"""When a champion is rolled back automatically: leads correct it more than the history of the one before allows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.posts import Post

BY = "rollback"
"""The author of the move, in the registry."""
SETTLED = timedelta(hours=24)
"""A decision counts once leads had a day to correct it; before that, an uncorrected one shows nothing."""
FALSE_ALARM = 0.05
"""The chance that a champion that is corrected no more than is allowed is ever withdrawn, however often one looks."""
HISTORY_ERROR = 0.1
"""The chance that the one before was truly corrected more often than the bound that is allowed. Both were chosen by
simulation (`benchmarks/rollback_delay.py`): with a new champion every month there are about .2 false alarms a year,
where 1 is the aim; at .2 and .05 there were up to .8, and at .01 and .01 it took three times as long."""
_WORSE = (0.01, 0.02, 0.05, 0.1, 0.2)
"""How much more than is allowed it may be corrected: a mixture, so that none of them has to be right."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """How many of an adapter's decisions leads could have corrected, and how many they did."""

    decided: int
    corrected: int

    @property
    def share(self) -> float:
        return self.corrected / self.decided if self.decided else 0.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A champion that the gate let serve, and the one before it."""

    task: str
    promotion: int
    """The promotion's number, so that only this promotion is withdrawn and no later one."""
    adapter: str
    now: Corrections
    """The decisions since that promotion."""
    previous: str
    before: Corrections
    """The decisions of the one before, in the year until then."""


class LiveRecord(Protocol):
    """How a champion's decisions fared, and how it is withdrawn."""

    async def serving(self, task: str, base: str, now: datetime) -> Serving | None:
        """The champion and the one before; None if either is missing, or if somebody chose the champion by hand."""

    async def withdraw(self, serving: Serving, reason: str, posts: Sequence[Post], now: datetime) -> bool:
        """Let the one before serve again and owe the posts, in one transaction. False: the pointer has moved since."""


def allowed(before: Corrections) -> float:
    """The share of decisions that may be corrected: an upper bound of what the history shows (Clopper, Pearson 1934).

    1 without a history: then no share is too much.
    """
    if before.corrected >= before.decided:
        return 1.0
    from scipy.special import betaincinv  # most commands check no rollback, and start faster without it

    return float(betaincinv(before.corrected + 1, before.decided - before.corrected, 1 - HISTORY_ERROR))


def too_often(before: Corrections, now: Corrections) -> bool:
    """Whether the champion is corrected more often than is allowed.

    A sequential probability ratio test (Wald 1945) against a mixture of worse rates (Robbins 1970, "Statistical methods
    related to the law of the iterated logarithm"): at any allowed rate the likelihood ratio has a mean of at most 1, so
    the chance that it ever reaches 1 / FALSE_ALARM is at most FALSE_ALARM (Ville 1939), whenever one looks.
    """
    least = allowed(before)
    worse = [least + more for more in _WORSE if least + more < 1]
    if not worse or not now.decided:
        return False
    kept = now.decided - now.corrected
    ratios = [now.corrected * math.log(rate / least) + kept * math.log((1 - rate) / (1 - least)) for rate in worse]
    top = max(ratios)
    mixed = top + math.log(sum(math.exp(one - top) for one in ratios) / len(_WORSE))
    return mixed >= -math.log(FALSE_ALARM)
