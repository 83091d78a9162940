"""What the past weeks say: what to look at first, which teams are mistaken for each other, what no team is for."""

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
"""Messages that fit no team, the newest, of which groups are made: that takes the square of their number."""
A_TEAM = 5
"""Messages about one thing that nobody is for, from which on a team for it is worth a thought."""
_SHOWN = 3


class Why(StrEnum):
    """Why a conversation deserves a look, what is worth most first."""

    DISPUTED = "disputed"
    """Leads name different teams; nothing is learned until they agree."""
    QUARANTINED = "quarantined"
    """A correction that what is known speaks against; it teaches nothing until a second lead agrees."""
    FAR = "far"
    """Nothing that is known is like it."""
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
    """Two teams of which one is taken for the other."""

    decided: str
    belongs: str
    count: int
    share: float
    """Of all that was moved."""
    examples: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Messages about one thing that fit no team, the most typical first."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """What there is to say of the past weeks."""

    outcomes: Sequence[Outcome]
    """Oldest first."""
    queue: Sequence[Item]
    confusions: Sequence[Confusion]
    groups: Sequence[Group]
    drifts: Mapping[Measure, Drift]
    """Of the last seven days, compared with those before."""
    enough: bool
    """Whether there is evidence for saying anything of drift."""


def queue(outcomes: Sequence[Outcome], nearest: Mapping[int, float], kin: float) -> list[Item]:
    """What deserves a look: by why, and within it the least sure first.

    `nearest` is how near the nearest known text is, by conversation; under `kin` nothing is near.
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
        Confusion(decided, belongs, len(of), len(of) / total, tuple(reversed(of[-_SHOWN:])))
        for (decided, belongs), of in moved.items()
    ]
    return sorted(found, key=lambda pair: (-pair.count, pair.decided, pair.belongs))


def unfit(task: Task, outcomes: Sequence[Outcome], nearest: Mapping[int, float], kin: float) -> list[Outcome]:
    """The newest of those that ended with the fallback, or that nothing known is like while nobody settled them."""
    found = [
        one
        for one in outcomes
        if one.vector is not None
        and (one.ended == task.fallback or (not one.settled and nearest.get(one.conversation, 1.0) < kin))
    ]
    return found[-MOST_GROUPED:]


def groups(outcomes: Sequence[Outcome], similar: npt.NDArray[np.float32], kin: float) -> list[Group]:
    """Of messages that fit no team those about one thing, the largest group first.

    `similar` is each with each; average linkage joins them while they are kin (scikit-learn).
    """
    if len(outcomes) < A_TEAM:
        return []
    from sklearn.cluster import AgglomerativeClustering  # half a second that most commands can do without

    joined = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=1 - kin)
    places = joined.fit_predict(1 - similar)
    found: list[Group] = []
    for place, count in Counter(places.tolist()).most_common():
        if count >= A_TEAM:
            of = np.flatnonzero(places == place)
            typical = of[np.argsort(-similar[np.ix_(of, of)].mean(axis=1), kind="stable")]
            found.append(Group(tuple(outcomes[at] for at in typical)))
    return found
