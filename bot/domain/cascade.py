"""Cascades: the mixture answers where it is sure, a prompted model where it is not. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.domain.comparison import Arm
from bot.domain.learning import Score


def beside(other: str) -> str:
    """The name of a cascade to that arm."""
    return f"mixture, unsure to {other}"


def unsure(served: Sequence[Score], asked: Collection[str], sure: float | None) -> frozenset[str]:
    """The content hashes of the messages that are handed on.

    `asked` are those that what serves would ask the person about; with a threshold these do not count, but every
    message whose answer is less probable than that does.
    """
    if sure is None:
        return frozenset(asked)
    return frozenset(one.text_key for one in served if one.probabilities.get(one.answer, 0.0) < sure)


def cascade(served: Arm, other: Arm, handed_on: Collection[str]) -> Arm:
    """The cascade's arm, on the messages that both were asked about; those handed on take the time of both."""
    theirs = {score.text_key: score for score in other.scores}
    both = [score for score in served.scores if score.text_key in theirs]
    on = {score.text_key for score in both if score.text_key in handed_on}
    scores = [
        replace(theirs[score.text_key], language=score.language) if score.text_key in on else score for score in both
    ]
    share = len(on) / len(both) if both else 0.0
    cost = None if served.per_1000 is None or other.per_1000 is None else served.per_1000 + share * other.per_1000
    return Arm(
        beside(other.name),
        scores,
        graded=False,  # two models' probabilities are of two kinds
        per_1000=cost,
        tokens=None if other.tokens is None else (share * other.tokens[0], share * other.tokens[1]),
        stopped=other.stopped,
        handed_on=share,
    )
