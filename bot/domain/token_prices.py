"""The price of a million tokens of a hosted model, and the budget for them. Pure."""

from dataclasses import dataclass
from datetime import date

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """A list price."""

    input: float
    """For a million tokens that are sent."""
    output: float
    """For a million tokens that come back."""
    source: str = ""
    dated: date | None = None
    """None: the date was not recorded."""

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """The cost of one question and its answer."""
        return (tokens_in * self.input + tokens_out * self.output) / _MILLION


class Budget:
    """Money that must not be exceeded. The most that a question may cost is reserved before it is asked."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.spent = 0.0
        self._reserved = 0.0

    def reserve(self, worst: float) -> bool:
        """Whether there is room for a question that may cost so much; if so, it is reserved."""
        if self.spent + self._reserved + worst > self.limit:
            return False
        self._reserved += worst
        return True

    def settle(self, worst: float, cost: float) -> None:
        """Replace what was reserved by the actual cost."""
        self._reserved = max(0.0, self._reserved - worst)
        self.spent += cost

    def over(self, worst: float) -> bool:
        """Whether such a question has no room even when no other is on its way."""
        return self.spent + worst > self.limit
