"""A hosted model that messages may be compared with: where it is, how it is asked, and what it may cost."""

from dataclasses import dataclass, field

from bot.domain.few_shot import Choice
from bot.domain.token_prices import TokenPrice


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible chat endpoint, as the settings have it."""

    name: str
    """What its arms are called after."""
    url: str
    """What stands before `/chat/completions`."""
    model: str
    key: str
    """The environment variable that holds its key; empty: it takes none."""
    budget: float | None
    """What all its answers in one comparison may cost; None: it is not asked."""
    price: TokenPrice | None = None
    """None: the price book may have one."""
    shots: tuple[int, ...] = (0, 8)
    choices: tuple[Choice, ...] = (Choice.RETRIEVED,)
    concurrency: int = 4
    timeout: float = 30.0
    """Seconds for one answer."""
    max_tokens: int = 32
    """Of an answer. A model that thinks before it answers needs many more."""
    weekly: bool = False
    """Whether the comparison by schedule asks it, too: without being told each time, messages leave this machine."""
    secret: str = field(default="", repr=False)
    """What that variable holds."""
