"""When a champion goes back by itself: leads correct it more than the history of the one before allows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.posts import Post

BY = "rollback"
"""Who moved the pointer, as the registry records it."""
SETTLED = timedelta(hours=24)
"""A decision counts once leads had a day to correct it; until then what they left alone says nothing."""
FALSE_ALARM = 0.05
"""Chance that a champion that is corrected no more than is allowed is ever withdrawn, however often one looks."""
HISTORY_ERROR = 0.1
"""Chance that the one before was truly corrected more often than is taken for allowed. Both were chosen by simulation
(`benchmarks/rollback_delay.py`): with a new champion every month there are about .2 false alarms a year, where 1 is the
aim; at .2 and .05 there were up to .8, and at .01 and .01 it took three times as long."""
_WORSE = (0.01, 0.02, 0.05, 0.1, 0.2)
"""By how much more it may be corrected than is allowed, all at once: none of them has to be right."""


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
    """The promotion's number: what is withdrawn is this one and no later."""
    adapter: str
    now: Corrections
    """Since that promotion."""
    previous: str
    before: Corrections
    """Of the one before, in the year until then."""


class LiveRecord(Protocol):
    """What became of decisions, and the way back."""

    async def serving(self, task: str, base: str, now: datetime) -> Serving | None:
        """None where nothing serves, where nothing served before, or where somebody chose the champion by hand."""

    async def withdraw(self, serving: Serving, reason: str, posts: Sequence[Post], now: datetime) -> bool:
        """Let the one before serve again and owe the posts, in one transaction. False: the pointer has moved since."""


def allowed(before: Corrections) -> float:
    """The share of decisions that may be corrected: an upper bound of what the history shows (Clopper, Pearson 1934).

    1 where there is no history: then nothing is too much.
    """
    if before.corrected >= before.decided:
        return 1.0
    from scipy.special import betaincinv  # most commands look at no rollback, and start faster without

    return float(betaincinv(before.corrected + 1, before.decided - before.corrected, 1 - HISTORY_ERROR))


def too_often(before: Corrections, now: Corrections) -> bool:
    """Whether the champion's corrections leave what is allowed.

    A sequential probability ratio test (Wald 1945) against a mixture of worse rates (Robbins 1970, "Statistical methods
    related to the law of the iterated logarithm"): the likelihood ratio has a mean of at most 1 at any rate that is
    allowed, so it ever reaches 1 / FALSE_ALARM with at most that chance (Ville 1939), whenever one looks.
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
