"""What the past weeks show: what to look at first, teams mistaken for each other, and messages that no team is for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bot.domain.decisions import Author, Reason
from bot.domain.drift import Drift, Measure
from bot.domain.outcomes import Outcome
from bot.domain.tasks import Task

MOST_GROUPED = 1_000
"""The newest messages that fit no team, from which groups are made: that takes the square of their number."""
A_TEAM = 5
"""So many messages about one thing that no team is for make a new team worth considering."""
_SHOWN = 3


class Why(StrEnum):
    """Why a conversation deserves a look, the most important first."""

    DISPUTED = "disputed"
    """Leads name different teams; nothing is learned until they agree."""
    QUARANTINED = "quarantined"
    """A correction that known texts contradict; it is not learned until a second lead agrees."""
    FAR = "far"
    """No known text is like it."""
    UNSURE = "unsure"
    """The person had to be asked, or the fallback got it in doubt."""


@dataclass(frozen=True, slots=True)
class Item:
    """A conversation to look at."""

    outcome: Outcome
    why: Why
    nearest: float | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Two teams, one mistaken for the other."""

    decided: str
    belongs: str
    count: int
    share: float
    """The share of all moved conversations."""
    examples: tuple[Outcome, ...]
    """The newest, before them all those whose words are still there."""


@dataclass(frozen=True, slots=True)
class Group:
    """Messages about one thing that fit no team, the most typical first."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """The review of the past weeks."""

    outcomes: Sequence[Outcome]
    """Oldest first."""
    queue: Sequence[Item]
    confusions: Sequence[Confusion]
    groups: Sequence[Group]
    drifts: Mapping[Measure, Drift]
    """The last seven days compared with those before."""
    enough: bool
    """Whether there is evidence enough for any statement on drift."""
    whole: bool = True
    """Whether all conversations of the time were looked at, and not the newest alone."""


def queue(outcomes: Sequence[Outcome], nearest: Mapping[int, float], kin: float) -> list[Item]:
    """What deserves a look, ordered by reason, and within each the least sure first.

    `nearest`: conversation -> how near the nearest known text is; below `kin` nothing is near.
    """
    order = list(Why)
    items = [
        Item(one, why, nearest.get(one.conversation))
        for one in outcomes
        if (why := _why(one, nearest.get(one.conversation), kin)) is not None
    ]
    return sorted(items, key=lambda i: (order.index(i.why), i.outcome.first.confidence, i.outcome.conversation))


def _why(one: Outcome, nearest: float | None, kin: float) -> Why | None:
    if one.disputed:
        return Why.DISPUTED
    if one.quarantined:
        return Why.QUARANTINED
    if one.settled:
        return None
    if nearest is not None and nearest < kin:
        return Why.FAR
    doubted = one.first.by is Author.FALLBACK and one.first.reason is not Reason.WORDLESS
    return Why.UNSURE if one.asked or doubted else None


def confusions(outcomes: Sequence[Outcome]) -> list[Confusion]:
    """Every pair, the most frequent first."""
    moved: dict[tuple[str, str], list[Outcome]] = {}
    for one in outcomes:
        if one.moved:
            moved.setdefault((one.first.label, one.ended), []).append(one)
    total = sum(map(len, moved.values()))
    found = [
        Confusion(decided, belongs, len(of), len(of) / total, _newest(of)) for (decided, belongs), of in moved.items()
    ]
    return sorted(found, key=lambda pair: (-pair.count, pair.decided, pair.belongs))


def _newest(of: Sequence[Outcome]) -> tuple[Outcome, ...]:
    worded, empty = [one for one in of if one.text], [one for one in of if not one.text]
    return tuple(reversed([*empty, *worded][-_SHOWN:]))


def unfit(task: Task, outcomes: Sequence[Outcome], nearest: Mapping[int, float], kin: float) -> list[Outcome]:
    """The newest that ended with the fallback, or that are unsettled and have no known text like them."""
    found = [
        one
        for one in outcomes
        if one.vector is not None
        and (one.ended == task.fallback or (not one.settled and nearest.get(one.conversation, 1.0) < kin))
    ]
    return found[-MOST_GROUPED:]


def groups(outcomes: Sequence[Outcome], similar: npt.NDArray[np.float32], kin: float) -> list[Group]:
    """Group the messages that fit no team by what they are about, the largest group first.

    `similar` is each with each; average linkage joins them while they are kin (scikit-learn).
    """
    if len(outcomes) < A_TEAM:
        return []
    from sklearn.cluster import AgglomerativeClustering  # half a second that most commands save

    joined = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=1 - kin)
    places = joined.fit_predict(1 - similar)
    found: list[Group] = []
    for place, count in Counter(places.tolist()).most_common():
        if count >= A_TEAM:
            of = np.flatnonzero(places == place)
            typical = of[np.argsort(-similar[np.ix_(of, of)].mean(axis=1), kind="stable")]
            found.append(Group(tuple(outcomes[at] for at in typical)))
    return found
