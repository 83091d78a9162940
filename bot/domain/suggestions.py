"""Suggestions: a further question whose labels are what could be offered to whoever wrote. Pure.

A suggestion stands on the card, for the team. It is never sent to anybody by itself, and nothing is shown of one that
nobody is sure of. Besides the voices, what was on the cards of similar requests that were solved before has a say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.decisions import Author, Decision, Heard, Opinion, Reason
from bot.domain.model_ports import Vector
from bot.domain.tasks import Task

SOLVED = "solved"
"""The word for that say in `voices` of decisions."""
SIMILAR = 5
"""So many of the most similar solved requests have a say."""
LOUDEST = 0.5
"""Beside the voices together, which count 1: history alone never outvotes what a person wrote just now."""
_UNCONFIRMED = 0.5
"""What stood on a card till the request was solved, and no lead said so, counts half: we must not believe ourselves."""
_GUESSES = (Reason.UNSURE, Reason.STRANGE)


@dataclass(frozen=True, slots=True)
class SolvedRequest:
    """A closed request that is like the one in question."""

    label: str
    """The answer to the question that stood on its card last."""
    confirmed: bool
    """A lead said so."""
    similarity: float
    """As `embedders.Likeness` has it."""


class SolvedRequests(Protocol):
    """History: requests that were closed, by nearness."""

    async def similar(
        self, task: Task, vectors: Sequence[Vector | None], least: float
    ) -> list[Sequence[SolvedRequest]]:
        """For each vector up to `SIMILAR` closed requests at least so similar, the nearest first; none for None."""


def history_opinion(task: Task, found: Sequence[SolvedRequest]) -> Opinion | None:
    """What similar requests that were solved say; None: there are none."""
    votes: dict[str, float] = {}
    for one in found[:SIMILAR]:
        if one.label in task.names:
            votes[one.label] = votes.get(one.label, 0.0) + one.similarity * (1.0 if one.confirmed else _UNCONFIRMED)
    total = sum(votes.values())
    if total <= 0:
        return None
    shares = {label: vote / total for label, vote in votes.items()}
    likeliest = max(shares, key=lambda label: shares[label])
    heard = Heard(SOLVED, likeliest, round(shares[likeliest], 4), 1.0)
    weight = LOUDEST * min(total / SIMILAR, 1.0)
    return Opinion(Author.EXAMPLES, shares, weight, parts=(heard,), reads=False)


def solved_share(answer: Decision) -> float:
    """Of similar solved requests the share on whose cards the same stood; 0 where there were none."""
    if answer.by in (Author.LEAD, Author.RULE):
        return 0.0
    return next((one.probability for one in answer.voices if one.voice == SOLVED and one.label == answer.label), 0.0)


def nothing_to_suggest(task: Task, answer: Decision) -> bool:
    """Whether a card shows no suggestion: none is called for, or nobody is sure of one."""
    if not task.suggests or answer.by is Author.LEAD:
        return False
    return answer.label == task.fallback or answer.by is Author.FALLBACK or answer.reason in _GUESSES
