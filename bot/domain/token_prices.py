"""What a million tokens of a hosted model cost, and what may be spent on them. Pure."""

from dataclasses import dataclass
from datetime import date

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """A list price."""

    input: float
    """Of a million tokens that are sent."""
    output: float
    """Of a million tokens that come back."""
    source: str = ""
    dated: date | None = None
    """None: nobody wrote down when it held."""

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Of one question and its answer."""
        return (tokens_in * self.input + tokens_out * self.output) / _MILLION


class Budget:
    """Money that must not be exceeded. What a question may cost at worst is reserved before it is asked."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.spent = 0.0
        self._reserved = 0.0

    def reserve(self, worst: float) -> bool:
        """Whether there is room for a question that may cost so much; it is then kept free."""
        if self.spent + self._reserved + worst > self.limit:
            return False
        self._reserved += worst
        return True

    def settle(self, worst: float, cost: float) -> None:
        """What was reserved has cost this much."""
        self._reserved = max(0.0, self._reserved - worst)
        self.spent += cost

    def over(self, worst: float) -> bool:
        """Whether such a question has no room even when nothing is on its way."""
        return self.spent + worst > self.limit
