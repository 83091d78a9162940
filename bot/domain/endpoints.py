"""A hosted model that can answer in a comparison: where it is, how to ask it, and what it may cost."""

from dataclasses import dataclass, field

from bot.domain.few_shot import Choice
from bot.domain.token_prices import TokenPrice


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible chat endpoint, as the settings have it."""

    name: str
    """The name that its arms start with."""
    url: str
    """The part of the address before `/chat/completions`."""
    model: str
    key: str
    """The environment variable that holds its key; empty: it needs none."""
    budget: float | None
    """The most that all its answers in one comparison may cost; None: it is not asked."""
    price: TokenPrice | None = None
    """None: the price book's is used, if it has one."""
    shots: tuple[int, ...] = (0, 8)
    choices: tuple[Choice, ...] = (Choice.RETRIEVED,)
    concurrency: int = 4
    timeout: float = 30.0
    """Seconds for one answer."""
    max_tokens: int = 32
    """The most tokens of an answer. A model that thinks before it answers needs many more."""
    weekly: bool = False
    """Whether the scheduled comparison asks it, too: messages then leave this machine without a command each time."""
    secret: str = field(default="", repr=False)
    """The value of that variable."""
