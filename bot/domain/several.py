"""Questions that several labels may answer at once: each label is a question of its own, yes or no. Pure.

Binary relevance (Zhang et al. 2018, "Binary relevance for multi-label learning: an overview"): a request has as many
decisions as the question has labels, each with its own probability, so that storing, correcting, learning, judging and
exporting work as for any other question.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from bot.domain.asking import STEPS, Record, Row
from bot.domain.decisions import Decision, NoPrediction, Opinion
from bot.domain.tasks import Task

YES, NO = "yes", "no"
_USUAL = 0.5
_ENOUGH, _ENOUGH_YES = 50, 10
"""The fewest texts, and among them the fewest with the label, to fit the threshold on."""


def toggled(label: str) -> str:
    """The other answer."""
    return NO if label == YES else YES


def one_of_several(task: Task, made: Decision, opinions: Sequence[Opinion | NoPrediction]) -> Decision:
    """The decision, with yes from the probability on that gave the best F1 on texts that no voice had learned from."""
    if not task.part_of or not made.probabilities:
        return made
    proved = next((one.proved for one in opinions if isinstance(one, Opinion) and one.proved is not None), None)
    found = made.probabilities.get(YES, 0.0) >= yes_from(proved)
    return replace(made, label=YES if found else NO)


def yes_from(proved: Record | None) -> float:
    """The least probability of yes for which yes is the answer; one half where too little is known to fit it."""
    return _USUAL if proved is None else _fitted(proved.rows)


@lru_cache(maxsize=512)
def _fitted(rows: tuple[Row, ...]) -> float:
    """The threshold with the best F1; of equal ones the nearest to one half."""
    seen = [
        (step / STEPS, made, right) if label == YES else (1 - (step + 1) / STEPS, made, made - right)
        for label, step, made, right, _ in rows
    ]
    every, having = sum(made for _, made, _ in seen), sum(yes for _, _, yes in seen)
    if every < _ENOUGH or having < _ENOUGH_YES:
        return _USUAL

    def f1(threshold: float) -> float:
        claimed = [(made, yes) for low, made, yes in seen if low >= threshold]
        return 2 * sum(yes for _, yes in claimed) / (sum(made for made, _ in claimed) + having)

    thresholds = {round(low, 6) for low, _, _ in seen} | {_USUAL}
    return max(thresholds, key=lambda one: (round(f1(one - 1e-9), 9), -abs(one - _USUAL)))
