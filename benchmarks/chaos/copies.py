"""Why a post stands twice on Telegram: it could not be looked for, and the bot said so, or a fault of ours."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from benchmarks.chaos.platforms import Post

LOST, DIED, UNEXPLAINED = "its answer was lost", "who said it died, or its database", "no cause"
WITHIN = 30.0
"""Seconds after which a death no longer explains a missing receipt: receipts are stored at once."""
_WARNING = re.compile(r"post may stand twice.*?chat\W+?(-?\d+)")


def warnings(folder: Path) -> "Counter[str]":
    """Chat -> how often the bots, whose output is in the folder, said that a post may stand twice there."""
    outputs = [path for ending in ("out", "err") for path in folder.glob(f"*.{ending}")]
    return Counter(chat for path in outputs for chat in _WARNING.findall(path.read_text("utf-8", "replace")))


def causes(
    copies: Collection[Post],
    warned: Mapping[str, int],
    unanswered: Collection[Post],
    said: Mapping[Post, float],
    deaths: Sequence[float],
) -> "Counter[str]":
    """Cause -> how many of the posts without a receipt it explains. All moments are by one clock.

    A copy has a cause only if a bot warned of one in its chat (`warned`); each warning is of one copy.
    """
    left, found = Counter(warned), Counter[str]()
    for one in copies:
        cause = _cause(one, unanswered, said, deaths) if left[one[0]] > 0 else UNEXPLAINED
        left[one[0]] -= 1
        found[cause] += 1
    return found


def _cause(post: Post, unanswered: Collection[Post], said: Mapping[Post, float], deaths: Sequence[float]) -> str:
    if post in unanswered:
        return LOST
    moment = said.get(post)
    if moment is not None and any(0 <= death - moment <= WITHIN for death in deaths):
        return DIED
    return UNEXPLAINED
