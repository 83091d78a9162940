"""Nearly learned texts are not judged, nothing learned is lost, and broken examples are not used for training."""

from collections.abc import Sequence

import pytest

from bot.domain.errors import UsageError
from bot.domain.learning import Example, Side, Source, text_key
from bot.domain.training_data import Drawn, check_drawn, draw
from tests.samples import NOW, TASK

NAMES = frozenset(TASK.names)
TOPICS = "lamp chair window carpet mirror drawer pillow kettle towel basket curtain bucket ladder hammer candle".split()


def example(text: str, label: str = "billing", side: Side = Side.TRAIN, source: Source = Source.IMPORT) -> Example:
    return Example(text, label, source, side, NOW)


def long(n: int, more: str = "") -> str:
    """Words that no other number shares."""
    key = text_key(str(n))
    return " ".join([*(key[at : at + 6] for at in range(0, 60, 6)), more]).strip()


def some(label: str, side: Side = Side.TRAIN) -> list[Example]:
    return [example(f"{topic} {topic[::-1]} of {label}", label, side) for topic in TOPICS]


def test_a_held_out_text_that_nearly_repeats_one_to_learn_from_judges_nothing() -> None:
    learned = example("Please help me cancel a transaction.", source=Source.CORRECTION)
    leaking = example("Help me cancel a transaction", side=Side.HELD_OUT)
    judging = example("Where is my parcel?", "delivery", Side.HELD_OUT)
    drawn = draw([learned, leaking, judging], NAMES)
    assert (drawn.training_set, drawn.held_out, drawn.leaked) == ([learned], [judging], 1)


def test_two_held_out_texts_that_repeat_each_other_both_judge() -> None:
    twins = [example("Help me cancel a transaction", side=Side.HELD_OUT)]
    twins.append(example("Please help me cancel a transaction", side=Side.HELD_OUT))
    assert draw(twins, NAMES).held_out == twins


def test_labels_that_the_task_has_no_more_are_neither_learned_nor_leak() -> None:
    gone = example("Please help me cancel a transaction.", "faxes")
    kept = example("Help me cancel a transaction", side=Side.HELD_OUT)
    assert draw([gone, kept], NAMES) == Drawn([], [kept], 0, 0.0)


def refused(examples: Sequence[Example]) -> str:
    with pytest.raises(UsageError) as raised:
        check_drawn(TASK, draw(examples, NAMES))
    return str(raised.value)


def test_examples_of_one_label_alone_are_nothing_to_learn_from() -> None:
    assert refused(some("billing")) == (
        "nothing to learn from: fewer than 2 examples of delivery, it, triage; "
        "add some with `switchboard import`, or correct some decisions"
    )


def test_where_everything_held_out_leaks_nothing_is_trained() -> None:
    learned = [example(long(n), "billing" if n % 2 else "delivery") for n in range(30)]
    copies = [example(f"please, {e.text}!", e.label, Side.HELD_OUT) for e in learned]
    assert refused([*learned, *copies]).startswith("nothing to judge by: 30 held-out examples nearly repeat")


def test_labels_that_contradict_each_other_train_nothing() -> None:
    pairs = [(example(long(n), "billing"), example(long(n, "ok"), "delivery")) for n in range(15)]
    good = [example(long(100 + n), "it") for n in range(30)]
    says = refused([one for pair in pairs for one in pair] + good)
    assert says.startswith("the labels contradict each other: of 50% of the texts") and "`switchboard data" in says


def test_a_few_contradictions_are_learned_from() -> None:
    pair = [example(long(1), "billing"), example(long(1, "ok"), "delivery")]
    good = [one for name in ("billing", "delivery", "it", "triage") for one in some(name)]
    drawn = draw([*pair, *good], NAMES)
    check_drawn(TASK, drawn)
    assert 0 < drawn.contradicting < 0.1


def test_without_anything_held_out_the_gate_says_what_it_needs() -> None:
    check_drawn(TASK, draw([*some("billing"), *some("delivery")], NAMES))
