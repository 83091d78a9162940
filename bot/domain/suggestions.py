"""Suggestions: a further question whose labels are what could be offered to the person. Pure.

A suggestion is on the card, for the team. It is never sent by itself, and one that no voice is sure of is not shown.
Besides the voices, the suggestions on the cards of similar solved requests have a say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.decisions import Author, Decision, Heard, Opinion, Reason
from bot.domain.model_ports import Vector
from bot.domain.tasks import Task

SOLVED = "solved"
"""The name of that say among a decision's `voices`."""
SIMILAR = 5
"""How many of the most similar solved requests have a say."""
LOUDEST = 0.5
"""Their greatest weight; the voices together count 1: history alone never outvotes what a person wrote just now."""
_UNCONFIRMED = 0.5
"""The weight of an answer that stood on a card without a lead's word: we must not take ourselves for proof."""
_GUESSES = (Reason.UNSURE, Reason.STRANGE, Reason.UNSETTLED)


@dataclass(frozen=True, slots=True)
class SolvedRequest:
    """A closed request that is similar to the one in question."""

    label: str
    """The answer to the question that its card showed last."""
    confirmed: bool
    """Whether a lead said so."""
    similarity: float
    """By `embedders.Likeness`."""


class SolvedRequests(Protocol):
    """Finds closed requests by nearness."""

    async def similar(
        self, task: Task, vectors: Sequence[Vector | None], least: float
    ) -> list[Sequence[SolvedRequest]]:
        """For each vector up to `SIMILAR` closed requests at least so similar, the nearest first; for None, none."""


def history_opinion(task: Task, found: Sequence[SolvedRequest]) -> Opinion | None:
    """The opinion of similar solved requests; None: there are none."""
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
    """The share of similar solved requests that had this answer on their card; 0 if there were none."""
    if answer.by in (Author.LEAD, Author.RULE):
        return 0.0
    return next((one.probability for one in answer.voices if one.voice == SOLVED and one.label == answer.label), 0.0)


def nothing_to_suggest(task: Task, answer: Decision) -> bool:
    """Whether a card shows no suggestion: none is called for, or no voice is sure of one."""
    if not task.suggests or answer.by is Author.LEAD:
        return False
    return answer.label == task.fallback or answer.by is Author.FALLBACK or answer.reason in _GUESSES
