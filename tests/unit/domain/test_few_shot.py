"""Which known examples a prompt shows."""

import numpy as np
import pytest

from bot.domain.embedders import Likeness
from bot.domain.few_shot import Choice, ShownExamples, Variant, fixed, retrieved, shown, teachable, variants
from bot.domain.learning import Example, Side, Source
from tests.samples import NOW, TASK

POOL = [
    Example(f"{label} {n}", label, Source.IMPORT, Side.TRAIN, NOW)
    for label in ("it", "billing", "it")
    for n in range(2)
]


@pytest.mark.parametrize(
    ("shots", "choices", "names"),
    [
        ((0,), tuple(Choice), ["m zero-shot"]),
        ((8, 0, 3), (Choice.FIXED,), ["m zero-shot", "m 3 fixed", "m 8 fixed"]),
        ((3, 3), tuple(Choice), ["m 3 fixed", "m 3 retrieved"]),
    ],
)
def test_every_way_to_prompt_has_a_name(shots: tuple[int, ...], choices: tuple[Choice, ...], names: list[str]) -> None:
    assert [way.of("m") for way in variants(shots, choices)] == names


def test_fixed_examples_are_of_each_label_in_turn() -> None:
    pool = teachable(POOL, TASK)
    assert len(pool) == 4, "each text once"
    assert [label for _, label in fixed(pool, 3)] == ["billing", "it", "billing"]
    assert fixed(pool, 0) == [] and len(fixed(pool, 99)) == 4
    assert fixed(teachable(POOL[::-1], TASK), 3) == fixed(pool, 3), "whatever the order they are stored in"


def test_what_a_label_means_is_no_example() -> None:
    means = [Example(label.means, label.name, Source.SETTINGS, Side.TRAIN, NOW) for label in TASK.labels]
    said = Example("where is my refund?", "billing", Source.SETTINGS, Side.TRAIN, NOW)
    assert teachable([*means, said], TASK) == [said]


def test_retrieved_examples_are_the_nearest_and_the_nearest_stands_last() -> None:
    known = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], dtype=np.float32)
    asked = np.array([[1, 0], [0, 1]], dtype=np.float32)
    found = retrieved(POOL[:4], known, asked, Likeness(), 2)
    assert found == [[shown(POOL[1]), shown(POOL[0])], [shown(POOL[1]), shown(POOL[2])]]


def test_fewer_are_the_nearest_of_more() -> None:
    many = ShownExamples([("a", "it"), ("b", "it")], {"key": [("far", "it"), ("near", "it")]})
    assert many.of(Variant(1, Choice.RETRIEVED), "key") == [("near", "it")]
    assert many.of(Variant(1, Choice.FIXED), "key") == [("a", "it")]
    assert many.of(Variant(0), "key") == ()


def test_a_long_example_keeps_its_head_and_its_tail() -> None:
    text, label = shown(Example("a" * 5_000 + "z", "it", Source.IMPORT, Side.TRAIN, NOW))
    assert len(text) < 650 and text.startswith("aaa") and text.endswith("z") and label == "it"
