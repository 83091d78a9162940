"""Why a post stands twice on Telegram: a lost answer, a death before the receipt, or a fault of ours."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from benchmarks.chaos.platforms import Post

LOST, DIED, UNEXPLAINED = "its answer was lost", "who said it died, or its database", "no cause"
WITHIN = 30.0
"""Seconds after which a death no longer explains a missing receipt: receipts are stored at once."""


def causes(
    copies: Collection[Post], unanswered: Collection[Post], said: Mapping[Post, float], deaths: Sequence[float]
) -> "Counter[str]":
    """Cause -> how many of the posts without a receipt it explains. All moments are by one clock."""
    return Counter(_cause(one, unanswered, said, deaths) for one in copies)


def _cause(post: Post, unanswered: Collection[Post], said: Mapping[Post, float], deaths: Sequence[float]) -> str:
    if post in unanswered:
        return LOST
    moment = said.get(post)
    if moment is not None and any(0 <= death - moment <= WITHIN for death in deaths):
        return DIED
    return UNEXPLAINED
