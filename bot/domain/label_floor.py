"""A floor for every group: how much a team, a language, or all small teams together may lose by a new model."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from bot.domain.languages import FLOOR
from bot.domain.learning import Score
from bot.domain.paired_tests import at_least

MAX_DROP = 0.05
"""The share of its messages that a group may lose."""
FAMILY_ERROR = 0.05
"""The chance that any small group stops a candidate that loses no more than it may."""
_LEAST = 5
"""Groups with fewer messages are not judged alone: a language with so few is mostly another one, misread."""

Rows = Sequence[tuple[bool, bool]]
"""For each message: whether the champion was right, and whether the candidate was."""


def falls(champion: Sequence[Score], candidate: Sequence[Score]) -> Iterator[str]:
    """Yield, in words, every team and language in which the candidate loses too much.

    From 50 messages on (`languages.FLOOR`) it may lose 5 points: with fewer, one message is over 2. Smaller groups are
    held to the same 5 points with room for chance: an exact binomial test of its net losses, at the error of all small
    groups together divided by their number (Bonferroni; Dunn 1961, "Multiple comparisons among means"). What that lets
    through in single teams is held to the 5 points in all small teams together, where these have 50 messages.
    """
    teams = _grouped(champion, candidate, lambda score: score.truth)
    languages = _grouped(champion, candidate, lambda score: score.language and f"the language {score.language}")
    groups = {**teams, **languages}
    yield from (_fall(name, rows) for name, rows in groups.items() if len(rows) >= FLOOR and _net(rows) > _may(rows))
    small = {name: rows for name, rows in groups.items() if _LEAST <= len(rows) < FLOOR}
    for name, rows in small.items():
        if at_least(_net(rows), len(rows), MAX_DROP) < FAMILY_ERROR / len(small):
            yield f"{_fall(name, rows)}, more than chance explains"
    pooled = [pair for rows in teams.values() if len(rows) < FLOOR for pair in rows]
    if len(pooled) >= FLOOR and _net(pooled) > _may(pooled):
        yield _fall(f"teams with fewer than {FLOOR} held-out messages, together", pooled)


def _net(rows: Rows) -> int:
    return sum(old for old, _ in rows) - sum(new for _, new in rows)


def _may(rows: Rows) -> float:
    """The most messages that may be lost; computed in messages, since 1.00 - 0.95 is more than 0.05."""
    return MAX_DROP * len(rows)


def _fall(name: str, rows: Rows) -> str:
    n, before, after = len(rows), sum(old for old, _ in rows), sum(new for _, new in rows)
    return f"{name} falls from {before / n:.1%} to {after / n:.1%}"


def _grouped(
    champion: Sequence[Score], candidate: Sequence[Score], of: Callable[[Score], str | None]
) -> dict[str, list[tuple[bool, bool]]]:
    """The group's name -> its rows; a message for which `of` returns None is in no group."""
    rows: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for old, new in zip(champion, candidate, strict=True):
        if (group := of(old)) is not None:
            rows[group].append((old.right, new.right))
    return rows
