"""What is learned from and what is judged by, drawn from all examples; and when there is too little of either.

Everything here is linear in the examples, but for sorting, and takes seconds for fifty thousand: call it in a thread.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.domain.errors import UsageError
from bot.domain.learning import Example, Side, Source, label_counts, replayed, settle
from bot.domain.near_duplicates import NearGroups, near_groups
from bot.domain.plural import counted
from bot.domain.tasks import Task

MAX_TRAINING_SET = 20_000
MIN_PER_LABEL = 2
MOST_CONTRADICTING = 0.20
"""The largest share of texts with nearly the same words under another label; above it nothing is trained. Every tenth
label flipped costs up to 4 points (measured); from every fifth on, mostly the contradiction is learned."""
_ENOUGH_TO_TELL = 50
"""With fewer texts a share of them means nothing."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The examples that a learning cycle works with."""

    training_set: Sequence[Example]
    held_out: Sequence[Example]
    leaked: int
    """Held-out examples that do not judge, because a text to learn from says nearly the same."""
    contradicting: float
    """The share of all texts with nearly the same words under another label."""


def draw(examples: Sequence[Example], names: Collection[str]) -> Drawn:
    """Draw examples of labels that the task still has, each text once, none judged that was as good as learned.

    Of a group of near duplicates on both sides the held-out ones are left out, not those to learn from: a correction
    must be learned, and the memory, which takes part in the judging, has both sides' corrections. A silent signal is
    left out itself: it removes no text from the judging, and contradicts none.
    """
    known = [e for e in settle(examples) if e.label in names]
    return drawn_from(known, near_groups([e.text for e in known]))


def drawn_from(known: Sequence[Example], groups: NearGroups) -> Drawn:
    """The same for different texts whose groups are known."""
    grouped = list(zip(groups.near, known, strict=True))
    learned = {group for group, e in grouped if e.side is Side.TRAIN and e.source is not Source.SIGNAL}
    held_out = [(group, e) for group, e in grouped if e.side is Side.HELD_OUT and e.source is not Source.SIGNAL]
    judged = [e for group, e in held_out if group not in learned]
    judging = {group for group, _ in held_out}
    taught = [
        e for group, e in grouped if e.side is Side.TRAIN and (e.source is not Source.SIGNAL or group not in judging)
    ]
    training_set = replayed(taught, MAX_TRAINING_SET)
    said = [(group, e) for group, e in zip(groups.very_near, known, strict=True) if e.source is not Source.SIGNAL]
    share = sum(contradictions([e for _, e in said], [group for group, _ in said])) / max(1, len(said))
    return Drawn(training_set, judged, len(held_out) - len(judged), share if len(known) >= _ENOUGH_TO_TELL else 0.0)


def contradictions(examples: Sequence[Example], groups: Sequence[int]) -> list[bool]:
    """For each example whether one of its group has another label."""
    labels: dict[int, set[str]] = defaultdict(set)
    for group, example in zip(groups, examples, strict=True):
        labels[group].add(example.label)
    return [len(labels[group]) > 1 for group in groups]


def check_drawn(task: Task, drawn: Drawn) -> None:
    """Raise UsageError, naming the remedy, where a training would be in vain."""
    counts = label_counts(drawn.training_set)
    starving = [name for name in task.names if counts[name] < MIN_PER_LABEL]
    if len(task.names) - len(starving) < 2:
        raise UsageError(
            f"nothing to learn from: fewer than {MIN_PER_LABEL} examples of {', '.join(starving)}; "
            "add some with `switchboard import`, or correct some decisions"
        )
    if drawn.leaked and not drawn.held_out:
        all_repeat = counted(drawn.leaked, "held-out example nearly repeats", "held-out examples nearly repeat")
        raise UsageError(
            f"nothing to judge by: {all_repeat} a text to learn from, and none is left; "
            "import examples that say other things (`switchboard data` counts what repeats)"
        )
    if drawn.contradicting > MOST_CONTRADICTING:
        raise UsageError(
            f"the labels contradict each other: of {drawn.contradicting:.0%} of the texts nearly the same words have "
            f"another label, and {MOST_CONTRADICTING:.0%} is the most that is trained on; "
            "`switchboard data --rows FILE` names them: import them again with one label each, or merge the labels"
        )
