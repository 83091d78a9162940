"""Whether there is enough to learn from and to judge by, in words for somebody who starts the learning."""

from collections.abc import Iterator, Sequence

from bot.domain.gate import MIN_HELD_OUT
from bot.domain.learning import LEAST_REHEARSED, REHEARSED_SHARE, Example, Side, label_counts
from bot.domain.plural import counted
from bot.domain.tasks import Task

FEW = 20
"""With fewer examples of a label, what is learned about it is mostly chance."""
GOOD = 60
"""The number of examples of one label that the handbook advises."""


def too_little(task: Task, examples: Sequence[Example]) -> Iterator[str]:
    """What there is too little of, and with what effect, one sentence each; nothing where all is well."""
    counts = label_counts([example for example in examples if example.side is Side.TRAIN])
    few = [f"{name} ({counts[name]})" for name in task.names if counts[name] < FEW]
    if few:
        yield f"few examples to learn from: {', '.join(few)}; {GOOD} a label are a good start"
    if 0 < sum(counts.values()) < LEAST_REHEARSED / REHEARSED_SHARE:
        leave = counted(sum(counts.values()), "example leaves", "examples leave")
        yield f"{leave} none to steer by: when to stop and how sure to be are guessed"
    yield from few_to_judge_by(sum(example.side is Side.HELD_OUT for example in examples))


def few_to_judge_by(held_out: int) -> Iterator[str]:
    """One sentence if so many held-out examples are too few for a figure."""
    if held_out < MIN_HELD_OUT:
        yield f"{counted(held_out, 'held-out example')} to judge by; from {MIN_HELD_OUT} on a figure means something"
