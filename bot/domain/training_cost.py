"""What the training of the serving adapter cost, spread over the decisions that it makes. Arithmetic alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.plural import worded

HORIZON = timedelta(days=28)
"""How long an adapter is assumed to serve at least: decisions that it has not made in that time are forecast."""
_LEAST_SERVED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """An adapter from a learning cycle, and its work since."""

    name: str
    seconds: float
    """The whole cycle, the judging included."""
    serves_since: datetime
    decisions: int
    """The decisions that it took part in since then."""


class TrainingCosts(Protocol):
    """Reads how long trainings took."""

    async def trained(self, task: str, adapter: str) -> TrainedAdapter | None:
        """The adapter's training; None: no cycle of ours made it (it came with the program), or it never served."""


@dataclass(frozen=True, slots=True)
class Amortised:
    """The cost of one training for 1,000 decisions."""

    per_1000: float
    cost: float
    decisions: int
    """The decisions that it is spread over."""
    forecast: bool
    """Whether some of them are still to come, at the rate until now."""


def amortised(trained: TrainedAdapter, price_per_hour: float, now: datetime) -> Amortised | None:
    """The cost, spread; None: it has served for less than a day, or decided nothing, so the rate is not known."""
    served = now - trained.serves_since
    if served < _LEAST_SERVED or not trained.decisions:
        return None
    expected = round(trained.decisions * max(1.0, HORIZON / served))
    cost = trained.seconds / 3_600 * price_per_hour
    return Amortised(cost / expected * 1000, cost, expected, served < HORIZON)


def in_words(trained: TrainedAdapter, found: Amortised | None, money: str) -> str:
    """The cost in one sentence; `money` is the training's cost as people write it."""
    took = f"the training of {trained.name} took {trained.seconds / 60:,.1f} minutes, {money}"
    if found is None:
        return f"{took}; it has not served for long enough to say over how many decisions that is spread"
    over = f"{found.decisions:,} {worded(found.decisions, 'decision')}"
    ahead = f" forecast for its first {HORIZON.days} days at the rate until now" if found.forecast else " until now"
    return f"{took}, spread over {over}{ahead}"
